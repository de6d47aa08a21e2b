package clip_test

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
)

// TestUncommon compares a CLIP with heads of width 16 and 8, and with MLPs that are not
// four times as wide as its blocks, with open_clip's results (scripts/fixtures).
func TestUncommon(t *testing.T) {
	folder := t.TempDir()
	unpack(t, filepath.Join("testdata", "uncommon", "open_clip_model.safetensors.gz"), filepath.Join(folder, "open_clip_model.safetensors"))
	text, err := os.ReadFile(filepath.Join("testdata", "uncommon", "open_clip_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "open_clip_config.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	want := golden.Open(t, filepath.Join("testdata", "uncommon", "embeddings.safetensors"))
	with(t, folder, clip.Options{Activation: activation.Auto}, func(s *torch.Scope, model *clip.Model) {
		if model.Activation != activation.GELU || model.Arch.VisionHeads != 3 || model.Arch.TextHeads != 5 || model.Arch.VisionMLP != 120 || model.Arch.TextMLP != 120 {
			t.Errorf("%s, %+v", model.Activation, model.Arch)
		}
		class := see(s, model, want.Take(t, "in.image")).Narrow(1, 0, 1)
		want.Relative(t, "image", model.Vision.Head(class).Float32s(), 1e-5)
		want.Relative(t, "text", read(s, model, want.Take(t, "in.ids")).Float32s(), 1e-5)
	})
	want.AllUsed(t)
}

func unpack(t *testing.T, source, target string) {
	t.Helper()
	packed, err := os.Open(source)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	content, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, all, 0o644); err != nil {
		t.Fatal(err)
	}
}
