package pretrained

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHeads(t *testing.T) {
	vision, text := knownHeads()
	cases := []struct {
		tower
		heads int
		says  string // part of the note, "" for none; part of the error if heads is 0
	}{
		{tower{"vision", 768, 0, 0, vision}, 12, ""},
		{tower{"vision", 1024, 0, 0, vision}, 16, ""},
		{tower{"vision", 1280, 0, 0, vision}, 16, ""}, // ViT-H: heads of 80
		{tower{"vision", 1408, 0, 0, vision}, 16, ""},
		{tower{"vision", 1664, 0, 0, vision}, 16, ""},
		{tower{"text", 1280, 0, 0, text}, 20, ""},
		{tower{"vision", 320, 0, 0, vision}, 5, "5 in the vision tower of width 320 (clip_heads.vision)"},
		{tower{"vision", 128, 0, 0, vision}, 2, "2 in the vision tower"},
		{tower{"text", 64, 0, 0, text}, 1, "1 in the text tower of width 64 (clip_heads.text)"},
		{tower{"vision", 320, 4, 0, vision}, 4, ""},
		{tower{"vision", 1280, 20, 0, vision}, 20, ""},
		{tower{"vision", 1280, 0, 20, vision}, 20, ""},
		{tower{"vision", 1280, 20, 20, vision}, 20, ""},
		{tower{"vision", 100, 4, 0, vision}, 4, ""},
		{tower{"vision", 100, 0, 4, vision}, 4, ""},
		{tower{"vision", 100, 0, 0, vision}, 0, "100 is not a multiple of 64"},
		{tower{"vision", 1280, 20, 16, vision}, 0, "clip_heads.vision is 20, but the configuration beside the weights has 16"},
		{tower{"vision", 1280, 3, 0, vision}, 0, "3 vision heads do not divide the width 1280"},
	}
	for _, c := range cases {
		heads, note, err := c.tower.heads()
		if err != nil {
			note = err.Error()
		}
		if heads != c.heads || errors.Is(err, ErrNotCLIP) != (c.heads == 0) || (note == "") != (c.says == "") || !strings.Contains(note, c.says) {
			t.Errorf("%s, width %d, set %d, configured %d: %d heads, %q", c.name, c.width, c.set, c.configured, heads, note)
		}
	}
}

// Assumed heads give a note; a configuration or a setting removes it.
func TestNotesOfHeads(t *testing.T) {
	bare := unpack(t, "truth.safetensors")
	for _, says := range []string{"attention heads", "1 in the vision tower of width 64", "1 in the text tower", "--set clip_heads.vision=N"} {
		if note := open(t, bare).Note; !strings.Contains(note, says) {
			t.Errorf("no %q in %q", says, note)
		}
	}
	set, err := OpenWith(bare, Options{Heads{Vision: 4, Text: 2}})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if set.Note != "" || set.Arch.VisionHeads != 4 || set.Arch.TextHeads != 2 {
		t.Errorf("%q, %+v", set.Note, set.Arch)
	}
	if a, err := set.Fingerprint(); err != nil {
		t.Error(err)
	} else if b, err := open(t, bare).Fingerprint(); err != nil || a == b {
		t.Errorf("one fingerprint with other heads: %s (%v)", a, err)
	}
	for _, name := range []string{"hugging_face", "open_clip"} {
		folder := unpack(t, name)
		if note := open(t, folder).Note; note != "" {
			t.Errorf("%s: %q", name, note)
		}
		if _, err := OpenWith(folder, Options{Heads{Vision: 2}}); !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), "clip_heads.vision") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConfiguredHeads(t *testing.T) {
	for _, c := range []struct {
		folder, key string
		value       any
		want        Heads
	}{
		{"hugging_face", "vision_config.num_attention_heads", 2, Heads{2, 1}},
		{"hugging_face", "text_config.num_attention_heads", 4, Heads{1, 4}},
		{"hugging_face", "text_config.num_attention_heads", nil, Heads{1, 8}}, // transformers' default
		{"open_clip", "model_cfg.vision_cfg.head_width", 32, Heads{2, 1}},
		{"open_clip", "model_cfg.vision_cfg.head_width", 33, Heads{1, 1}}, // rounded down, as open_clip does
		{"open_clip", "model_cfg.vision_cfg.head_width", nil, Heads{1, 1}},
		{"open_clip", "model_cfg.text_cfg.heads", 8, Heads{1, 8}},
		{"open_clip", "model_cfg.text_cfg.heads", nil, Heads{1, 8}}, // open_clip's default
	} {
		folder := unpack(t, c.folder)
		edit(t, filepath.Join(folder, map[string]string{"hugging_face": "config.json", "open_clip": "open_clip_config.json"}[c.folder]), c.key, c.value)
		checkpoint := open(t, folder)
		if got := (Heads{checkpoint.Arch.VisionHeads, checkpoint.Arch.TextHeads}); got != c.want || checkpoint.Note != "" {
			t.Errorf("%s %s %v: %+v, %q", c.folder, c.key, c.value, got, checkpoint.Note)
		}
	}
}

func TestNameOnHuggingFace(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const (
		list     = "; `acdclip weights list` shows the CLIPs that can be downloaded by name: "
		hub      = "; if laion/CLIP-ViT-B-32 is the name of a model on Hugging Face, download its files first"
		openAI   = "; these weights are published as openai:ViT-L/14 (932.8 MB): run `acdclip weights fetch openai:ViT-L/14`, and give --clip openai:ViT-L/14: "
		openCLIP = "run `acdclip weights fetch open_clip:ViT-H-14`"
	)
	for path, want := range map[string]string{
		"openai/clip-vit-large-patch14":                      openAI,
		filepath.Join(here, "openai/clip-vit-large-patch14"): openAI,
		"hf-hub:laion/CLIP-ViT-H-14-laion2B-s32B-b79K":       openCLIP,
		"laion/CLIP-ViT-B-32":                                hub,
		"hf-hub:laion/CLIP-ViT-B-32":                         hub,
		"missing":                                            list,
		"a/b/c":                                              list,
		"clips/ViT-L-14.pt":                                  openAI,
		"/nowhere/clip":                                      list,
		"../openai/clip":                                     list,
	} {
		_, err := Open(path)
		if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := os.Mkdir("runs", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("runs/clip"); !errors.Is(err, os.ErrNotExist) || strings.Contains(err.Error(), "Hugging Face") {
		t.Error(err)
	}
}
