package pretrained

import (
	"compress/gzip"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/weights"
)

// scripts/fixtures writes the files in testdata: one tiny CLIP in every container, written
// by torch, transformers and open_clip.

// unpack copies a folder or file of testdata to a temporary folder and decompresses .gz files.
func unpack(t *testing.T, name string) string {
	t.Helper()
	source := filepath.Join("testdata", name)
	target := filepath.Join(t.TempDir(), filepath.Base(name))
	if info, err := os.Stat(source); err != nil || !info.IsDir() {
		unpackFile(t, source+".gz", target)
		return target
	}
	entries, err := os.ReadDir(source)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(target, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		unpackFile(t, filepath.Join(source, entry.Name()), filepath.Join(target, strings.TrimSuffix(entry.Name(), ".gz")))
	}
	return target
}

func unpackFile(t *testing.T, source, target string) {
	t.Helper()
	disk, err := os.Open(source)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	var content io.Reader = disk
	if strings.HasSuffix(source, ".gz") {
		if content, err = gzip.NewReader(disk); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(content)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(target, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *Checkpoint {
	t.Helper()
	checkpoint, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkpoint.Close() })
	return checkpoint
}

func values(t *testing.T, tensor interface {
	NumElements() int64
	ReadFloat32([]float32) error
}) []uint32 {
	t.Helper()
	read := make([]float32, tensor.NumElements())
	if err := tensor.ReadFloat32(read); err != nil {
		t.Fatal(err)
	}
	bits := make([]uint32, len(read))
	for i, v := range read {
		bits[i] = math.Float32bits(v)
	}
	return bits
}

func fixtureArch(activation string) Arch {
	return Arch{
		ImageSize: 16, Patch: 8, VisionWidth: 64, VisionLayers: 1, VisionHeads: 1, EmbedDim: 64,
		ContextLength: 8, VocabSize: 32, TextWidth: 64, TextLayers: 1, TextHeads: 1, Activation: activation,
	}
}

func TestEveryContainer(t *testing.T) {
	cases := []struct {
		path, inside, format, activation string
	}{
		{"openai.pt", "", FormatTorchScript, QuickGELU},
		{"state_dict.pt", "", FormatStateDict, ""},
		{"hugging_face", "", FormatHuggingFace, QuickGELU},
		{"hugging_face", "model.safetensors", FormatHuggingFace, QuickGELU},
		{"hugging_face_bin", "", FormatHuggingFace, QuickGELU},
		{"hugging_face_bin", "pytorch_model.bin", FormatHuggingFace, QuickGELU},
		{"open_clip", "", FormatOpenCLIP, QuickGELU},
		{"open_clip", "open_clip_model.safetensors", FormatOpenCLIP, QuickGELU},
		{"open_clip_bin", "", FormatOpenCLIP, QuickGELU},
		{"truth.safetensors", "", FormatStateDict, ""},
	}
	truth, err := weights.Open(unpack(t, "truth.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer truth.Close()
	fingerprints := map[string]bool{}
	for _, c := range cases {
		t.Run(filepath.Join(c.path, c.inside), func(t *testing.T) {
			checkpoint := open(t, filepath.Join(unpack(t, c.path), c.inside))
			if checkpoint.Format != c.format {
				t.Errorf("format %q", checkpoint.Format)
			}
			if checkpoint.Arch != fixtureArch(c.activation) {
				t.Errorf("architecture %+v", checkpoint.Arch)
			}
			if len(checkpoint.Tensors) != len(truth.Tensors) {
				t.Errorf("%d tensors, want %d", len(checkpoint.Tensors), len(truth.Tensors))
			}
			for _, tensor := range checkpoint.Tensors {
				want, ok := truth.Lookup(tensor.Name)
				if !ok {
					t.Errorf("unknown tensor %s", tensor.Name)
					continue
				}
				if !slices.Equal(tensor.Shape, want.Shape) || !slices.Equal(values(t, tensor), values(t, want)) {
					t.Errorf("%s differs", tensor.Name)
				}
			}
			fingerprint, err := checkpoint.Fingerprint()
			if err != nil {
				t.Error(err)
			}
			fingerprints[fingerprint] = true
		})
	}
	if len(fingerprints) != 1 {
		t.Errorf("fingerprints differ: %v", fingerprints)
	}
}

// Checkpoints contain fingerprints, so they must never change. Both were also computed with Python's hashlib.
func TestFingerprintStays(t *testing.T) {
	const earlier = "sha256:50c556e0549d522d304795753f39b28e09097bcc624937b2996eab6773428b20"
	const want = "sha256v2:ead2f06cd91a6fb54d991689e7542acf9ee152c76addea6b311030d818ab6501"
	got, err := open(t, unpack(t, "openai.pt")).Identity()
	if err != nil || got.Fingerprint != want {
		t.Errorf("%s (%v), want %s", got.Fingerprint, err, want)
	}
	for stored, is := range map[string]bool{
		want: true, earlier: true, "": false, want[:len(want)-1] + "0": false, earlier[:len(earlier)-1] + "1": false,
		"sha256v2:" + earlier[len("sha256:"):]: false, "sha256:" + want[len("sha256v2:"):]: false,
	} {
		if got.Is(stored) != is {
			t.Errorf("%q: %v", stored, !is)
		}
	}
}

func TestGoldenOneCLIPInTwoFormats(t *testing.T) {
	golden.Run(t, []string{"clip_tiny_openai.pt", "clip_tiny_hf"}, func(t *testing.T, folder golden.Folder) {
		first, hf := open(t, folder.File("clip_tiny_openai.pt")), open(t, folder.File("clip_tiny_hf"))
		arch := hf.Arch
		if first.Format == FormatStateDict {
			arch.Activation = "" // a plain state dict does not state the activation
		} else if first.Format != FormatTorchScript {
			t.Errorf("format %q", first.Format)
		}
		if hf.Format != FormatHuggingFace || first.Arch != arch {
			t.Errorf("%+v\n%s %+v", first.Arch, hf.Format, hf.Arch)
		}
		for i, tensor := range first.Tensors {
			other := hf.Tensors[i]
			if tensor.Name != other.Name || !slices.Equal(tensor.Shape, other.Shape) || !slices.Equal(values(t, tensor), values(t, other)) {
				t.Errorf("%s and %s differ", tensor.Name, other.Name)
			}
		}
		a, err := first.Fingerprint()
		b, also := hf.Fingerprint()
		if errors.Join(err, also) != nil || a != b {
			t.Errorf("%s (%v), %s (%v)", a, err, b, also)
		}
	})
}

func TestGoldenAdapterIsNoCLIP(t *testing.T) {
	golden.Run(t, []string{"released_n2_adapter_1.pth"}, func(t *testing.T, folder golden.Folder) {
		_, err := Open(folder.File("released_n2_adapter_1.pth"))
		if !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), "vision tower") {
			t.Error(err)
		}
	})
}
