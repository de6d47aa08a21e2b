package pretrained

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/pkg/weights"
)

// renamed returns tensors with other names.
func renamed(tensors []weights.Value, name func(string) string) []weights.Value {
	var all []weights.Value
	for _, v := range tensors {
		v.Name = name(v.Name)
		all = append(all, v)
	}
	return all
}

func prefixed(prefix string) func(string) string {
	return func(name string) string { return prefix + name }
}

// customTower returns open_clip's name of a tensor if the text tower is a separate module.
func customTower(name string) string {
	if strings.HasPrefix(name, "visual.") || name == "logit_scale" {
		return name
	}
	return "text." + name
}

func placeholder(name string) weights.Value {
	return weights.Value{Name: name, Shape: []int64{1}, Float32: []float32{0}}
}

// A CLIP wrapped by a training program has the same tensors as the CLIP itself.
func TestWrapped(t *testing.T) {
	openAIs := tensorsOf(t, unpack(t, "truth.safetensors"))
	theirs := tensorsOf(t, filepath.Join(unpack(t, "hugging_face"), "model.safetensors"))
	want, err := open(t, unpack(t, "truth.safetensors")).Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name    string
		tensors []weights.Value
		says    string // part of the error
	}{
		{"module", renamed(openAIs, prefixed("module.")), ""},
		{"training file", append(renamed(openAIs, prefixed("state_dict.module.")), placeholder("optimizer.state.0.exp_avg")), ""},
		{"model", append(renamed(openAIs, prefixed("model.")), placeholder("scaler.x")), ""},
		{"compiled", renamed(openAIs, prefixed("model_state_dict._orig_mod.module.")), ""},
		{"a member", renamed(openAIs, prefixed("clip.")), ""},
		{"Hugging Face's names", renamed(theirs, prefixed("state_dict.")), ""},
		{"text tower apart", renamed(openAIs, customTower), ""},
		{"text tower apart, wrapped", renamed(renamed(openAIs, customTower), prefixed("state_dict.module.")), ""},
		{"two of them", append(renamed(openAIs, prefixed("model.")), renamed(openAIs, prefixed("model_ema."))...), `several CLIPs, under the names "model." and "model_ema."`},
		{"part of something", append(renamed(openAIs, prefixed("clip.")), placeholder("decoder.x")), "decoder.x"},
		{"under another name", renamed(openAIs, prefixed("teacher_of_what.")), `"teacher_of_what."`},
		{"a foreign tensor inside", append(renamed(openAIs, prefixed("module.")), placeholder("module.head")), "unexpected tensor module.head"},
		{"incomplete", without(renamed(openAIs, prefixed("module.")), named("module.ln_final.bias")), "missing tensor module.ln_final.bias"},
	}
	for _, c := range cases {
		path := filepath.Join(t.TempDir(), "clip")
		writeTensors(t, path, c.tensors)
		checkpoint, err := Open(path)
		if c.says != "" {
			if !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got, err := checkpoint.Fingerprint(); err != nil || got != want {
			t.Errorf("%s: %s (%v), want %s", c.name, got, err, want)
		}
		checkpoint.Close()
	}
}

// The error for a model of another architecture names it, and is always the same.
func TestForeignTensors(t *testing.T) {
	for says, names := range map[string][]string{
		"ResNet":                       {"visual.conv1.weight", "visual.layer1.0.conv1.weight", "visual.attnpool.k_proj.weight", "token_embedding.weight"},
		"timm vision tower":            {"visual.trunk.cls_token", "visual.trunk.blocks.0.norm1.weight", "text.token_embedding.weight"},
		"SigLIP with a timm":           {"visual.trunk.attn_pool.latent", "logit_bias", "text.token_embedding.weight"},
		"a SigLIP;":                    {"vision_model.head.probe", "text_model.head.weight", "logit_bias"},
		"EVA-CLIP":                     {"visual.patch_embed.proj.weight", "visual.blocks.0.attn.q_proj.weight", "text.token_embedding.weight"},
		"CoCa, which":                  {"visual.conv1.weight", "text_decoder.resblocks.0.ln_1.weight"},
		"with attention pooling":       {"visual.conv1.weight", "visual.attn_pool.query"},
		"XLM-RoBERTa":                  {"visual.conv1.weight", "text.transformer.embeddings.word_embeddings.weight"},
		"BERT":                         {"vision_model.embeddings.class_embedding", "text_model.encoder.layer.0.attention.self.query.weight"},
		"BLIP":                         {"visual_encoder.cls_token", "text_encoder.embeddings.word_embeddings.weight"},
		"without a text tower":         {"cls_token", "blocks.0.attn.qkv.weight"},
		"a ResNet without":             {"conv1.weight", "layer1.0.conv1.weight"},
		"Stable Diffusion":             {"model.diffusion_model.x", "cond_stage_model.x"},
		"so the file has no vision to": {"anything"},
	} {
		var tensors []weights.Value
		for _, name := range names {
			tensors = append(tensors, placeholder(name))
		}
		path := filepath.Join(t.TempDir(), "model")
		writeTensors(t, path, tensors)
		var first string
		for range 8 {
			_, err := Open(path)
			if !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), says) || first != "" && err.Error() != first {
				t.Fatalf("%s: %v", says, err)
			}
			first = err.Error()
		}
	}
}

// The model type in the configuration takes precedence over the weights.
func TestForeignConfigurations(t *testing.T) {
	for name, c := range map[string]struct{ file, weights, text, says string }{
		"siglip":  {"config.json", "model.safetensors", `{"model_type": "siglip"}`, `model_type to "siglip"`},
		"shards":  {"config.json", "pytorch_model.bin.index.json", `{"model_type": "siglip2"}`, `model_type to "siglip2"`},
		"timm":    {"open_clip_config.json", "open_clip_model.safetensors", `{"model_cfg": {"vision_cfg": {"timm_model_name": "eva02_base"}}}`, "timm"},
		"resnet":  {"open_clip_config.json", "open_clip_pytorch_model.bin", `{"model_cfg": {"vision_cfg": {"layers": [3, 4, 6, 3]}}}`, "ResNet"},
		"coca":    {"open_clip_config.json", "open_clip_model.safetensors", `{"model_cfg": {"multimodal_cfg": {"layers": 12}}}`, "CoCa"},
		"hf text": {"open_clip_config.json", "open_clip_model.safetensors", `{"model_cfg": {"text_cfg": {"hf_model_name": "roberta-base"}}}`, "roberta-base"},
		"list":    {"config.json", "model.safetensors", `[]`, "config.json"},
	} {
		folder := t.TempDir()
		for file, text := range map[string]string{c.file: c.text, c.weights: "no weights at all"} {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Open(folder); !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Weights in several files, listed by an index, are the same CLIP.
func TestSharded(t *testing.T) {
	whole := unpack(t, "hugging_face")
	want, err := open(t, whole).Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	tensors := tensorsOf(t, filepath.Join(whole, "model.safetensors"))
	index := map[string]string{}
	half := len(tensors) / 2
	for name, part := range map[string][]weights.Value{"a.safetensors": tensors[:half], "b.safetensors": tensors[half:]} {
		writeTensors(t, filepath.Join(whole, name), part)
		for _, v := range part {
			index[v.Name] = name
		}
	}
	if err := os.Remove(filepath.Join(whole, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"weight_map": index})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(whole, "model.safetensors"+weights.IndexEnding)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{whole, path} {
		checkpoint := open(t, given)
		if got, err := checkpoint.Fingerprint(); err != nil || got != want || checkpoint.Format != FormatHuggingFace || checkpoint.Arch.Activation != QuickGELU {
			t.Errorf("%s: %s (%v), %s %+v", given, got, err, checkpoint.Format, checkpoint.Arch)
		}
	}
	if _, err := Open(filepath.Join(whole, "a.safetensors")); !errors.Is(err, ErrNotCLIP) {
		t.Errorf("one shard alone: %v", err)
	}
}

func TestHowPicturesArePrepared(t *testing.T) {
	for text, says := range map[string]string{
		`{}`: "",
		`{"do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711], "crop_size": 224}`: "",
		`{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}`:                                                                                  "",
		`{"image_mean": [0.5, 0.5, -1]}`:   "image_mean to [0.5,0.5,-1]",
		`{"image_std": [0.5, 0.5, "0.5"]}`: "image_std",
		`{"image_std": [0.5, 0.5, 0]}`:     "image_std",
		`{"image_std": [0.5]}`:             "image_std to [0.5], expected three numbers",
		`{"do_normalize": false}`:          "do_normalize to false",
		`no JSON`:                          "preprocessor_config.json",
	} {
		folder := unpack(t, "hugging_face")
		if err := os.WriteFile(filepath.Join(folder, "preprocessor_config.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		checkpoint, err := Open(folder)
		if err == nil {
			checkpoint.Close()
		}
		if (err == nil) != (says == "") || err != nil && (!errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// The normalisation of pictures is read from either library's configuration, and changes the fingerprint.
func TestNormalisation(t *testing.T) {
	half := Normalisation{Mean: [3]float64{0.5, 0.5, 0.5}, Deviation: [3]float64{0.5, 0.5, 0.5}}
	usual, err := open(t, unpack(t, "open_clip")).Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ file, text string }{
		"open_clip":    {"open_clip_config.json", `{"model_cfg": {"text_cfg": {"heads": 1}}, "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}}`},
		"hugging_face": {"preprocessor_config.json", `{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}`},
	} {
		folder := unpack(t, name)
		if got := open(t, folder).Normalisation; got != CLIPNormalisation() {
			t.Errorf("%s: %v", name, got)
		}
		if err := os.WriteFile(filepath.Join(folder, c.file), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		checkpoint := open(t, folder)
		if checkpoint.Normalisation != half {
			t.Errorf("%s: %v", name, checkpoint.Normalisation)
		}
		if got, err := checkpoint.Fingerprint(); err != nil || got == usual {
			t.Errorf("%s: the fingerprint %s (%v) does not tell", name, got, err)
		}
	}
}

// The fingerprint depends on every value, and every value is checked to be finite.
func TestEveryValueCounts(t *testing.T) {
	tensors := tensorsOf(t, unpack(t, "truth.safetensors"))
	path := filepath.Join(t.TempDir(), "clip")
	writeTensors(t, path, tensors)
	want, err := open(t, path).Identity()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range tensors {
		last := len(v.Float32) - 1
		was := v.Float32[last]
		v.Float32[last] += 1
		writeTensors(t, path, tensors)
		if got, err := open(t, path).Identity(); err != nil || got.Fingerprint == want.Fingerprint || (got.earlier == want.earlier) != (last >= earlierValues) {
			t.Errorf("%s: %+v (%v)", v.Name, got, err)
		}
		v.Float32[last] = float32(math.NaN())
		writeTensors(t, path, tensors)
		if _, err := open(t, path).Identity(); !errors.Is(err, weights.ErrMalformed) || !strings.Contains(err.Error(), v.Name) || !strings.Contains(err.Error(), path) {
			t.Errorf("NaN in %s: %v", v.Name, err)
		}
		v.Float32[last] = was
	}
}

// A CLIP whose MLPs are not four times as wide as its blocks, like ViT-g and ViT-bigG.
func TestWidthOfMLP(t *testing.T) {
	arch := fixtureArch(QuickGELU)
	arch.VisionMLP, arch.TextMLP = 100, 300
	if got := open(t, random(t, arch, 1)).Arch; got != arch {
		t.Errorf("%+v", got)
	}
}

// A configuration beside a weight file of another name is not read, and a note says so.
func TestConfigurationPassedOver(t *testing.T) {
	for folder, names := range map[string][2]string{"open_clip": {"open_clip_model.safetensors", "open_clip_config.json"}, "hugging_face": {"model.safetensors", "config.json"}} {
		path := unpack(t, folder)
		if note := open(t, path).Note; strings.Contains(note, "was not read") {
			t.Errorf("%s: %s", folder, note)
		}
		renamed := filepath.Join(path, "vit_tiny.safetensors")
		if err := os.Rename(filepath.Join(path, names[0]), renamed); err != nil {
			t.Fatal(err)
		}
		if note := open(t, renamed).Note; !strings.Contains(note, names[1]+" was not read") {
			t.Errorf("%s: %q", folder, note)
		}
	}
}
