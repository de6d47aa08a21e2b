package pretrained

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/weights"
)

// tensorsOf returns the fixture's tensors as values that tests can change and write again.
func tensorsOf(t *testing.T, path string) []weights.Value {
	t.Helper()
	file, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []weights.Value
	for _, tensor := range file.Tensors {
		v := weights.Value{Name: tensor.Name, Shape: tensor.Shape, Float32: make([]float32, tensor.NumElements())}
		if err := tensor.ReadFloat32(v.Float32); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func writeTensors(t *testing.T, path string, tensors []weights.Value) {
	t.Helper()
	var out bytes.Buffer
	if err := weights.WriteSafetensors(&out, nil, tensors); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func without(tensors []weights.Value, gone func(name string) bool) []weights.Value {
	return slices.DeleteFunc(slices.Clone(tensors), func(v weights.Value) bool { return gone(v.Name) })
}

func replaced(tensors []weights.Value, name string, shape ...int64) []weights.Value {
	changed := without(tensors, func(n string) bool { return n == name })
	count := int64(1)
	for _, n := range shape {
		count *= n
	}
	return append(changed, weights.Value{Name: name, Shape: shape, Float32: make([]float32, count)})
}

func named(name string) func(string) bool { return func(n string) bool { return n == name } }

func TestRefusedTensors(t *testing.T) {
	openAIs := tensorsOf(t, unpack(t, "truth.safetensors"))
	theirs := tensorsOf(t, filepath.Join(unpack(t, "hugging_face"), "model.safetensors"))
	integer := without(openAIs, named("ln_final.bias"))
	integer = append(integer, weights.Value{Name: "ln_final.bias", Shape: []int64{64}, Int64: make([]int64, 64)})
	cases := []struct {
		name    string
		tensors []weights.Value
		says    []string
	}{
		{"nothing", nil, []string{"no vision tower"}},
		{"missing", without(openAIs, named("visual.transformer.resblocks.0.mlp.c_fc.bias")), []string{"missing tensor visual.transformer.resblocks.0.mlp.c_fc.bias"}},
		{"missing conv1", without(openAIs, named("visual.conv1.weight")), []string{"missing tensor visual.conv1.weight"}},
		{"missing logit scale", without(openAIs, named("logit_scale")), []string{"missing tensor logit_scale"}},
		{"missing part", without(theirs, named("text_model.encoder.layers.0.self_attn.k_proj.weight")), []string{"missing tensor text_model.encoder.layers.0.self_attn.k_proj.weight"}},
		{"no text tower", without(theirs, func(n string) bool { return strings.HasPrefix(n, "text_model.") }), []string{"missing tensor text_model."}},
		{"missing block", append(without(openAIs, named("")), weights.Value{Name: "visual.transformer.resblocks.2.ln_1.weight", Shape: []int64{64}, Float32: make([]float32, 64)}),
			[]string{"missing tensor visual.transformer.resblocks.1.ln_1.weight", "more (23 problems in all)"}},
		{"extra", replaced(openAIs, "logit_bias"), []string{"unexpected tensor logit_bias"}},
		{"shape", replaced(openAIs, "ln_final.bias", 63), []string{"tensor ln_final.bias has the shape [63], expected [64]"}},
		{"part's shape", replaced(theirs, "vision_model.encoder.layers.0.self_attn.v_proj.bias", 65), []string{"v_proj.bias has the shape [65], expected [64]"}},
		{"turned", replaced(openAIs, "visual.transformer.resblocks.0.mlp.c_fc.weight", 64, 256), []string{"[64 256], expected [256 64]"}},
		{"one logit scale too many", replaced(openAIs, "logit_scale", 1), []string{"logit_scale has the shape [1], expected []"}},
		{"patches in no square", replaced(openAIs, "visual.positional_embedding", 6, 64), []string{"visual.positional_embedding has 6 rows"}},
		{"no patches", replaced(openAIs, "visual.positional_embedding", 1, 64), []string{"1 rows"}},
		{"width", replaced(openAIs, "visual.conv1.weight", 80, 3, 8, 8), []string{"vision heads"}},
		{"flat conv1", replaced(openAIs, "visual.conv1.weight", 64), []string{"visual.conv1.weight has the shape [64]"}},
		{"empty vocabulary", replaced(openAIs, "token_embedding.weight", 0, 64), []string{"token_embedding.weight has the shape [0 64]"}},
		{"integers", integer, []string{"ln_final.bias has the type I64"}},
		{"two problems", replaced(without(openAIs, named("ln_final.bias")), "logit_bias"), []string{"missing tensor ln_final.bias", "unexpected tensor logit_bias"}},
		{"another resolution", append(slices.Clone(openAIs), weights.Value{Name: "input_resolution", Shape: []int64{}, Int64: []int64{224}}), []string{"input_resolution must be 16"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "clip.safetensors")
			writeTensors(t, path, c.tensors)
			_, err := Open(path)
			if !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), path) {
				t.Fatal(err)
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("no %q in: %v", says, err)
				}
			}
		})
	}
}

// One tensor with a high block number must not cause a lookup of every lower block.
func TestManyProblemsTakeLittle(t *testing.T) {
	tensors := tensorsOf(t, unpack(t, "truth.safetensors"))
	for n := range 50_000 {
		tensors = append(tensors, weights.Value{Name: fmt.Sprintf("extra.%d", n), Shape: []int64{0}})
	}
	tensors = append(tensors, weights.Value{Name: "visual.transformer.resblocks.49990.x", Shape: []int64{0}},
		weights.Value{Name: "transformer.resblocks.49990.x", Shape: []int64{0}})
	path := filepath.Join(t.TempDir(), "clip.safetensors")
	writeTensors(t, path, tensors)
	file, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = bind(file, Options{}, configurationFor)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), "(50002 problems in all)") || len(err.Error()) > 1024 {
		t.Errorf("%.2000v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
		t.Errorf("allocated %d MB", used>>20)
	}
}

func TestAcceptedBuffers(t *testing.T) {
	number := func(name string, n int64) weights.Value {
		return weights.Value{Name: name, Shape: []int64{}, Int64: []int64{n}}
	}
	tensors := append(tensorsOf(t, unpack(t, "truth.safetensors")),
		number("input_resolution", 16), number("context_length", 8), number("vocab_size", 32),
		weights.Value{Name: "attn_mask", Shape: []int64{8, 8}, Float32: make([]float32, 64)})
	path := filepath.Join(t.TempDir(), "clip.safetensors")
	writeTensors(t, path, tensors)
	open(t, path)

	tensors = append(tensorsOf(t, filepath.Join(unpack(t, "hugging_face"), "model.safetensors")),
		weights.Value{Name: "vision_model.embeddings.position_ids", Shape: []int64{1, 5}, Int64: make([]int64, 5)},
		weights.Value{Name: "text_model.embeddings.position_ids", Shape: []int64{1, 8}, Int64: make([]int64, 8)})
	writeTensors(t, path, tensors)
	open(t, path)
}

// edit changes one key of a JSON object in a file; the path's parts are separated by dots.
func edit(t *testing.T, path, key string, value any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(key, ".")
	at := config
	for _, part := range parts[:len(parts)-1] {
		at = at[part].(map[string]any)
	}
	last := parts[len(parts)-1]
	if at[last] = value; value == nil {
		delete(at, last)
	}
	if text, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// harmless returns keys of open_clip that do not affect results, or have their default values.
func harmless() map[string]any {
	return map[string]any{
		"model_cfg.custom_text": true, "model_cfg.init_logit_scale": 2.5, "model_cfg.multimodal_cfg": map[string]any{},
		"model_cfg.vision_cfg.patch_dropout": 0.5, "model_cfg.vision_cfg.pool_type": "tok", "model_cfg.vision_cfg.attn_pooler_queries": 9,
		"model_cfg.vision_cfg.timm_pool": "map", "model_cfg.vision_cfg.no_ln_pre": false, "model_cfg.vision_cfg.act_kwargs": map[string]any{},
		"model_cfg.vision_cfg.norm_kwargs": map[string]any{"eps": 1e-5}, "model_cfg.vision_cfg.mlp_ratio": 4.0,
		"model_cfg.text_cfg.pool_type": "argmax", "model_cfg.text_cfg.eos_id": 7, "model_cfg.text_cfg.pad_id": 0,
		"model_cfg.text_cfg.hf_proj_type": "mlp", "model_cfg.text_cfg.hf_model_pretrained": true, "model_cfg.text_cfg.block_type": "default",
		"preprocess_cfg": map[string]any{
			"mean": []float64{0.48145466, 0.4578275, 0.40821073}, "std": []float64{0.26862954, 0.26130258, 0.27577711},
			"interpolation": "bicubic", "resize_mode": "shortest", "size": []int{16, 16}, "mode": "RGB", "fill_color": 0,
		},
	}
}

// harmful returns keys of open_clip with values that change results, and unknown keys.
func harmful() map[string]any {
	return map[string]any{
		"model_cfg.vision_cfg.ls_init_value": 1e-4, "model_cfg.vision_cfg.attentional_pool": true, "model_cfg.vision_cfg.no_ln_pre": true,
		"model_cfg.vision_cfg.pos_embed_type": "sin_cos_2d", "model_cfg.vision_cfg.final_ln_after_pool": true,
		"model_cfg.vision_cfg.pool_type": "avg", "model_cfg.vision_cfg.output_tokens": true,
		"model_cfg.vision_cfg.act_kwargs":  map[string]any{"approximate": "tanh"},
		"model_cfg.vision_cfg.norm_kwargs": map[string]any{"eps": 1e-6}, "model_cfg.vision_cfg.block_type": "custom",
		"model_cfg.vision_cfg.qk_norm": true, "model_cfg.vision_cfg.scaled_cosine_attn": true, "model_cfg.vision_cfg.scale_heads": true,
		"model_cfg.vision_cfg.scale_attn_inner": true, "model_cfg.vision_cfg.scale_attn": true, "model_cfg.vision_cfg.scale_fc": true,
		"model_cfg.vision_cfg.global_average_pool": true, "model_cfg.vision_cfg.input_patchnorm": true,
		"model_cfg.vision_cfg.timm_model_name": "vit_tiny", "model_cfg.vision_cfg.layers": []int{1, 1, 1, 1}, "model_cfg.vision_cfg.rope": true,
		"model_cfg.text_cfg.ls_init_value": 1e-4, "model_cfg.text_cfg.embed_cls": true, "model_cfg.text_cfg.pad_id": 1,
		"model_cfg.text_cfg.no_causal_mask": true, "model_cfg.text_cfg.final_ln_after_pool": true, "model_cfg.text_cfg.pool_type": "last",
		"model_cfg.text_cfg.proj_bias": true, "model_cfg.text_cfg.proj_type": "none", "model_cfg.text_cfg.output_tokens": true,
		"model_cfg.text_cfg.act_kwargs":        map[string]any{"approximate": "tanh"},
		"model_cfg.text_cfg.norm_kwargs":       map[string]any{"eps": 1e-6},
		"model_cfg.text_cfg.hf_tokenizer_name": "roberta-base", "model_cfg.text_cfg.tokenizer_mode": "clean",
		"model_cfg.text_cfg.tokenizer_kwargs": map[string]any{"clean": "canonicalize"}, "model_cfg.text_cfg.hf_model_name": "roberta-base",
		"model_cfg.text_cfg.new_key": 1, "model_cfg.init_logit_bias": -10, "model_cfg.nonscalar_logit_scale": true,
		"model_cfg.multimodal_cfg": map[string]any{"layers": 12}, "model_cfg.new_key": 1, "new_top": 1,
		"preprocess_cfg.mean": []float64{0.5, 0.5}, "preprocess_cfg.std": []float64{0.5, 0.5, 0},
		"preprocess_cfg.interpolation": "bilinear", "preprocess_cfg.mode": "L", "preprocess_cfg.new_key": 1,
	}
}

func TestConfigurations(t *testing.T) {
	cases := []struct {
		folder, key string
		value       any
		activation  string // or, if the configuration is an error:
		says        string
	}{
		{"hugging_face", "model_type", "clip", QuickGELU, ""},
		{"hugging_face", "text_config.hidden_act", nil, QuickGELU, ""},
		{"hugging_face", "vision_config.num_attention_heads", nil, QuickGELU, ""},
		{"hugging_face", "vision_config", nil, QuickGELU, ""},
		{"hugging_face", "model_type", "siglip", "", `model_type to "siglip"`},
		{"hugging_face", "text_config.hidden_act", "gelu", "", `"quick_gelu" for pictures and to "gelu" for text`},
		{"hugging_face", "vision_config.num_attention_heads", 3, "", "3 vision heads do not divide the width 64"},
		{"hugging_face", "text_config.num_attention_heads", 2.5, "", "text_config.num_attention_heads to 2.5"},
		{"hugging_face", "text_config.num_attention_heads", 1e9, "", "text_config.num_attention_heads to 1e+09"},
		{"hugging_face", "vision_config.image_size", 24, "", "image_size to 24, but the weights have 16"},
		{"hugging_face", "projection_dim", 512, "", "projection_dim to 512"},
		{"hugging_face", "text_config.layer_norm_eps", 1e-6, "", "layer_norm_eps to 1e-06"},
		{"hugging_face", "text_config.hidden_size", "wide", "", "hidden_size"},
		{"hugging_face", "vision_config.hidden_act", "gelu_new", "", `"gelu_new" for pictures`},
		{"hugging_face", "vision_config", []int{1}, "", "vision_config"},
		{"hugging_face", "vision_config.num_channels", 4, "", "num_channels to 4"},
		{"hugging_face", "text_config.eos_token_id", 2, QuickGELU, ""},
		{"hugging_face", "text_config.eos_token_id", 49407, QuickGELU, ""},
		{"hugging_face", "text_config.eos_token_id", 5, "", "eos_token_id to 5"},
		{"hugging_face", "text_config_dict", map[string]any{"layer_norm_eps": 1e-6}, "", "text_config.layer_norm_eps to 1e-06"},
		{"hugging_face", "vision_config_dict", map[string]any{"num_hidden_layers": 24}, "", "vision_config.num_hidden_layers to 24"},
		{"hugging_face", "auto_map", map[string]any{"AutoModel": "code.Model"}, "", "auto_map"},
		{"hugging_face", "quantization_config", map[string]any{"bits": 8}, "", "quantization_config"},
		{"hugging_face", "vision_config.pruned_heads", map[string]any{"1": []int{0}}, "", "pruned_heads"},
		{"hugging_face", "num_beams", 4, QuickGELU, ""},
		{"open_clip", "model_cfg.quick_gelu", true, QuickGELU, ""},
		{"open_clip", "model_cfg.quick_gelu", false, GELU, ""},
		{"open_clip", "model_cfg.quick_gelu", nil, GELU, ""},
		{"open_clip", "model_cfg.text_cfg", map[string]any{"heads": 1, "pool_type": "eos", "eos_id": 49407}, QuickGELU, ""},
		{"open_clip", "model_cfg.text_cfg", map[string]any{"heads": 1, "pool_type": "eos", "eos_id": 31}, QuickGELU, ""},
		{"open_clip", "model_cfg.text_cfg", map[string]any{"heads": 1, "pool_type": "eos", "eos_id": 2}, "", `pool_type to "eos" with text_cfg.eos_id 2`},
		{"open_clip", "model_cfg.text_cfg", map[string]any{"heads": 1, "pool_type": "eos"}, "", `text_cfg.eos_id null`},
		{"open_clip", "model_cfg.vision_cfg.head_width", 80, "", "head_width to 80"},
		{"open_clip", "model_cfg", nil, "", "no model_cfg"},
		{"open_clip", "model_cfg.quick_gelu", "yes", "", `quick_gelu to "yes"`},
		{"open_clip", "model_cfg.vision_cfg.image_size", []int{16, 16}, QuickGELU, ""},
		{"open_clip", "model_cfg.vision_cfg.image_size", []int{16, 24}, "", "image_size to [16,24]"},
	}
	for key, value := range harmless() {
		cases = append(cases, struct {
			folder, key string
			value       any
			activation  string
			says        string
		}{"open_clip", key, value, QuickGELU, ""})
	}
	for key, value := range harmful() {
		cases = append(cases, struct {
			folder, key string
			value       any
			activation  string
			says        string
		}{"open_clip", key, value, "", strings.TrimPrefix(key, "model_cfg.")})
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%s %s %v", c.folder, c.key, c.value), func(t *testing.T) {
			folder := unpack(t, c.folder)
			config := filepath.Join(folder, map[string]string{"hugging_face": "config.json", "open_clip": "open_clip_config.json"}[c.folder])
			edit(t, config, c.key, c.value)
			checkpoint, err := Open(folder)
			if c.says != "" {
				if !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), config) {
					t.Error(err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer checkpoint.Close()
			if checkpoint.Arch != fixtureArch(c.activation) {
				t.Errorf("%+v", checkpoint.Arch)
			}
		})
	}
}

func TestBothActivationsChanged(t *testing.T) {
	for activation, sound := range map[string]bool{GELU: true, "gelu_new": false} {
		folder := unpack(t, "hugging_face")
		edit(t, filepath.Join(folder, "config.json"), "text_config.hidden_act", activation)
		edit(t, filepath.Join(folder, "config.json"), "vision_config.hidden_act", activation)
		checkpoint, err := Open(folder)
		if sound != (err == nil) {
			t.Errorf("%s: %v", activation, err)
		}
		if err == nil {
			if checkpoint.Arch.Activation != activation {
				t.Errorf("%s became %s", activation, checkpoint.Arch.Activation)
			}
			checkpoint.Close()
		}
	}
}

func TestFolders(t *testing.T) {
	folder := t.TempDir()
	if _, err := Open(folder); !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), "model.safetensors") {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "model.safetensors.index.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(folder); !errors.Is(err, weights.ErrMalformed) || !strings.Contains(err.Error(), "model.safetensors.index.json") {
		t.Errorf("an index of nothing: %v", err)
	}
	if _, err := Open(filepath.Join(folder, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	bare := unpack(t, "hugging_face")
	if err := os.Remove(filepath.Join(bare, "config.json")); err != nil {
		t.Fatal(err)
	}
	if got := open(t, bare).Arch; got != fixtureArch("") {
		t.Errorf("without a configuration: %+v", got)
	}
	if err := os.WriteFile(filepath.Join(bare, "config.json"), []byte("<html>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(bare); !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("a broken configuration: %v", err)
	}
	if _, err := Open(filepath.Join(bare, "config.json")); !errors.Is(err, weights.ErrNotWeights) {
		t.Errorf("a configuration as weights: %v", err)
	}
}
