package clip_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
)

// TestVariants loads one CLIP as different libraries and programs store it, and compares
// the embeddings of two pictures and two prompts with those of the library
// (scripts/fixtures/variants.py). The widths of the towers, of the embedding and of the
// heads all differ.
func TestVariants(t *testing.T) {
	heads := pretrained.Heads{Vision: 3, Text: 4} // a file without a configuration does not state them
	cases := []struct {
		name       string
		file       string // "" for the folder
		heads      pretrained.Heads
		format     string
		activation activation.Activation
	}{
		{"open_clip_float16", "", pretrained.Heads{}, pretrained.FormatOpenCLIP, activation.GELU},
		{"open_clip_bfloat16", "", pretrained.Heads{}, pretrained.FormatOpenCLIP, activation.QuickGELU},
		{"open_clip_half", "", pretrained.Heads{}, pretrained.FormatOpenCLIP, activation.GELU},
		{"training_file", "epoch_32.pt", heads, pretrained.FormatOpenCLIP, activation.GELU},
		{"quick_training_file", "epoch_32.pt", heads, pretrained.FormatOpenCLIP, activation.QuickGELU},
		{"released", "vit_b_32-quickgelu-laion400m_e32-46683a32.pt", heads, pretrained.FormatStateDict, activation.QuickGELU},
		{"module_bfloat16", "finetuned.safetensors", heads, pretrained.FormatStateDict, activation.GELU},
		{"openai", "ViT-T-8.pt", heads, pretrained.FormatTorchScript, activation.QuickGELU},
		{"hugging_face_float16", "", pretrained.Heads{}, pretrained.FormatHuggingFace, activation.GELU},
		{"hugging_face_shards", "", pretrained.Heads{}, pretrained.FormatHuggingFace, activation.QuickGELU},
	}
	want := golden.Open(t, filepath.Join("testdata", "variants", "embeddings.safetensors"))
	picture, ids := want.Take(t, "in.image"), want.Take(t, "in.ids")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			folder := variant(t, c.name)
			checkpoint, err := pretrained.OpenWith(filepath.Join(folder, c.file), pretrained.Options{Heads: c.heads})
			if err != nil {
				t.Fatal(err)
			}
			defer checkpoint.Close()
			if said := checkpoint.Arch.Activation; said != "" && said != string(c.activation) || said == "" && c.activation == activation.QuickGELU {
				t.Errorf("the file says %q", said)
			}
			option := activation.Auto
			if c.name == "module_bfloat16" { // nothing tells that this one is open_clip's
				option = activation.GELU
			}
			withCheckpoint(t, checkpoint, clip.Options{Activation: option}, func(s *torch.Scope, model *clip.Model) {
				if checkpoint.Format != c.format || model.Activation != c.activation || model.Arch.EmbedDim != 20 || model.Text.Width != 16 || model.Vision.Width != 24 {
					t.Errorf("%s, %s, %+v", checkpoint.Format, model.Activation, model.Arch)
				}
				class := see(s, model, picture).Narrow(1, 0, 1)
				want.Relative(t, c.name+".image", model.Vision.Head(class).Float32s(), 1e-5)
				want.Relative(t, c.name+".text", read(s, model, ids).Float32s(), 1e-5)
			})
		})
	}
	want.AllUsed(t)
}

// TestPromptsOfVariants checks that the ids in the fixture are those of its prompts.
func TestPromptsOfVariants(t *testing.T) {
	words, err := tokenizer.New()
	if err != nil {
		t.Fatal(err)
	}
	want := golden.Open(t, filepath.Join("testdata", "variants", "embeddings.safetensors")).Take(t, "in.ids")
	var got []float64
	for _, prompt := range []string{"a photo of a damaged metal nut.", "a cable without flaw"} {
		for _, id := range words.Encode(prompt, 77) {
			got = append(got, float64(id))
		}
	}
	if !slices.Equal(got, want.Data) {
		t.Errorf("%v, want %v", got, want.Data)
	}
}

// variant unpacks a folder of the fixture. open_clip_half is a configuration for the
// weights of open_clip_float16.
func variant(t *testing.T, name string) string {
	t.Helper()
	target := t.TempDir()
	sources := []string{name}
	if name == "open_clip_half" {
		sources = []string{"open_clip_float16", name}
	}
	for _, source := range sources {
		paths, err := filepath.Glob(filepath.Join("testdata", "variants", source, "*"))
		if err != nil || len(paths) == 0 {
			t.Fatal(paths, err)
		}
		for _, path := range paths {
			into := filepath.Join(target, strings.TrimSuffix(filepath.Base(path), ".gz"))
			if strings.HasSuffix(path, ".gz") {
				unpack(t, path, into)
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(into, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return target
}
