package pretrained

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/weights"
)

// publishedModel is what the file of a published model contains, without values. Only models
// that are supported have shapes and all blocks.
type publishedModel struct {
	OpenCLIP     json.RawMessage    `json:"open_clip"`    // model_cfg of open_clip_config.json
	Transformers json.RawMessage    `json:"transformers"` // config.json
	Tensors      map[string][]int64 `json:"tensors"`
}

// publishedModels reads what open_clip and transformers say about their models (scripts/fixtures/published.py).
func publishedModels(t *testing.T) map[string]publishedModel {
	t.Helper()
	disk, err := os.Open(filepath.Join("testdata", "published.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	text, err := gzip.NewReader(disk)
	if err != nil {
		t.Fatal(err)
	}
	var models map[string]publishedModel
	if err := json.NewDecoder(text).Decode(&models); err != nil {
		t.Fatal(err)
	}
	return models
}

// open binds the tensors as if they were in a folder of the library, with or without its configuration.
func (p publishedModel) open(t *testing.T, prefix string, configured bool) (*Checkpoint, error) {
	t.Helper()
	file := &weights.File{Path: filepath.Join(t.TempDir(), "open_clip_model.safetensors"), Format: weights.FormatSafetensors}
	config, text := "open_clip_config.json", []byte(fmt.Sprintf(`{"model_cfg": %s}`, p.OpenCLIP))
	if p.Transformers != nil {
		file.Path = filepath.Join(filepath.Dir(file.Path), "model.safetensors")
		config, text = "config.json", p.Transformers
	}
	for _, name := range slices.Sorted(maps.Keys(p.Tensors)) {
		file.Tensors = append(file.Tensors, &weights.Tensor{Name: prefix + name, DType: weights.F16, Shape: p.Tensors[name]})
	}
	if configured {
		if err := os.WriteFile(filepath.Join(filepath.Dir(file.Path), config), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := refuseByConfiguration(file.Path); err != nil {
		return nil, err
	}
	return bind(file, Options{}, configurationFor)
}

// TestPublished derives the architectures of published models from their tensors alone and
// with their configurations.
func TestPublished(t *testing.T) {
	type size struct{ image, patch, width, layers, heads, mlp int }
	type words struct{ width, layers, heads int }
	cases := map[string]struct {
		vision     size
		text       words
		embed      int
		activation string // in the configuration
	}{
		"ViT-B-32":               {size{224, 32, 768, 12, 12, 0}, words{512, 12, 8}, 512, GELU},
		"ViT-B-32-quickgelu":     {size{224, 32, 768, 12, 12, 0}, words{512, 12, 8}, 512, QuickGELU},
		"ViT-B-32-256":           {size{256, 32, 768, 12, 12, 0}, words{512, 12, 8}, 512, GELU},
		"ViT-B-16":               {size{224, 16, 768, 12, 12, 0}, words{512, 12, 8}, 512, GELU},
		"ViT-B-16-plus-240":      {size{240, 16, 896, 12, 14, 0}, words{640, 12, 10}, 640, GELU},
		"ViT-L-14":               {size{224, 14, 1024, 24, 16, 0}, words{768, 12, 12}, 768, GELU},
		"ViT-L-14-336-quickgelu": {size{336, 14, 1024, 24, 16, 0}, words{768, 12, 12}, 768, QuickGELU},
		"ViT-H-14":               {size{224, 14, 1280, 32, 16, 0}, words{1024, 24, 16}, 1024, GELU},
		"ViT-H-14-378-quickgelu": {size{378, 14, 1280, 32, 16, 0}, words{1024, 24, 16}, 1024, QuickGELU},
		"ViT-g-14":               {size{224, 14, 1408, 40, 16, 6144}, words{1024, 24, 16}, 1024, GELU},
		"ViT-bigG-14":            {size{224, 14, 1664, 48, 16, 8192}, words{1280, 32, 20}, 1280, GELU},
		"ViT-e-14":               {size{224, 14, 1792, 56, 16, 15360}, words{1280, 36, 20}, 1280, GELU},
		"ViT-M-32-alt":           {size{224, 32, 512, 12, 8, 0}, words{384, 12, 6}, 384, GELU},
		"ViT-S-16":               {size{224, 16, 384, 12, 6, 0}, words{384, 12, 6}, 384, GELU},
	}
	models := publishedModels(t)
	for name, c := range cases {
		for _, configured := range []bool{false, true} {
			checkpoint, err := models[name].open(t, "", configured)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			want := Arch{
				ImageSize: c.vision.image, Patch: c.vision.patch, VisionWidth: c.vision.width, VisionLayers: c.vision.layers, VisionHeads: c.vision.heads, VisionMLP: c.vision.mlp,
				EmbedDim: c.embed, ContextLength: 77, VocabSize: 49408, TextWidth: c.text.width, TextLayers: c.text.layers, TextHeads: c.text.heads,
			}
			if configured {
				want.Activation = c.activation
			}
			if checkpoint.Arch != want || checkpoint.Note != "" || checkpoint.Format != FormatOpenCLIP {
				t.Errorf("%s, configured %v: %s, %q\n%+v, want\n%+v", name, configured, checkpoint.Format, checkpoint.Note, checkpoint.Arch, want)
			}
		}
	}
}

// TestPublishedButRefused checks that a model of another architecture is refused by name,
// with what to do, by its tensors, also in a training file, and by its configuration.
func TestPublishedButRefused(t *testing.T) {
	cases := map[string]string{
		"RN50": "a ResNet vision tower", "RN101-quickgelu": "a ResNet vision tower", "RN50x64": "a ResNet vision tower",
		"ViT-B-16-SigLIP": "a SigLIP", "ViT-SO400M-14-SigLIP-384": "a SigLIP", "ViT-B-16-SigLIP2": "a SigLIP", "ViT-gopt-16-SigLIP2-256": "a SigLIP",
		"EVA01-g-14": "an EVA-CLIP", "EVA02-B-16": "an EVA-CLIP", "EVA02-E-14-plus": "an EVA-CLIP", "EVA02-L-14-336": "an EVA-CLIP",
		"coca_ViT-B-32": "a CoCa", "coca_ViT-L-14": "a CoCa",
		"MobileCLIP-S1": "a MobileCLIP", "MobileCLIP-S2": "a MobileCLIP", "MobileCLIP-B": "a MobileCLIP", "MobileCLIP2-S0": "a MobileCLIP", "MobileCLIP2-S4": "a MobileCLIP",
		"MobileCLIP2-L-14": "such as MobileCLIP2-L-14",
		"convnext_base_w":  "a ConvNeXt vision tower", "convnext_xxlarge": "a ConvNeXt vision tower", "ViTamin-L": "a ViTamin",
		"PE-Core-B-16": "a Perception Encoder", "PE-Core-bigG-14-448": "a Perception Encoder", "swin_base_patch4_window7_224": "a timm vision tower",
		"ViT-L-14-CLIPA": "a CLIPA", "ViT-bigG-14-CLIPA-336": "a CLIPA", "ViT-M-16-alt": "LayerScale",
		"roberta-ViT-B-32": "a text tower from Hugging Face", "xlm-roberta-ViT-B-32": "a text tower from Hugging Face", "mt5-ViT-B-32": "a text tower from Hugging Face",
		"SiglipModel": "a SigLIP", "Siglip2Model": "a SigLIP", "SiglipVisionModel": "a SigLIP",
		"ChineseCLIPModel": "Chinese-CLIP", "AltCLIPModel": "an AltCLIP", "XCLIPModel": "X-CLIP", "AlignModel": "ALIGN", "FlavaModel": "FLAVA", "Blip2Model": "BLIP-2",
		"OwlViTModel": "OWL-ViT", "Owlv2Model": "OWL-ViT", "GroupViTModel": "GroupViT", "LlavaForConditionalGeneration": "LLaVA", "Dinov2Model": "", "ViTModel": "",
		"CLIPVisionModel": "the vision tower of a CLIP without", "CLIPVisionModelWithProjection": "the vision tower of a CLIP without",
		"CLIPTextModel": "the text tower of a CLIP without", "CLIPTextModelWithProjection": "the text tower of a CLIP without",
	}
	models := publishedModels(t)
	for name, says := range cases {
		for _, how := range []struct {
			prefix     string
			configured bool
		}{{"", false}, {"state_dict.module.", false}, {"", true}} {
			_, err := models[name].open(t, how.prefix, how.configured)
			if !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), ": use a ") && !strings.Contains(err.Error(), ": use the ") && !strings.Contains(err.Error(), ": give the ") {
				t.Errorf("%s %+v: %v, want %q", name, how, err, says)
			}
		}
	}
}
