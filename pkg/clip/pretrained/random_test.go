package pretrained

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"acdclip/pkg/weights"
)

func smallArch() Arch {
	return Arch{
		ImageSize: 28, Patch: 14, VisionWidth: 128, VisionLayers: 2, VisionHeads: 2, EmbedDim: 64,
		ContextLength: 77, VocabSize: 400, TextWidth: 64, TextLayers: 3, TextHeads: 1, Activation: GELU,
	}
}

func random(t *testing.T, arch Arch, seed uint64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "new", "clip")
	if err := WriteRandom(dir, arch, seed); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRandomOpens(t *testing.T) {
	checkpoint := open(t, random(t, smallArch(), 1))
	if checkpoint.Arch != smallArch() || checkpoint.Format != FormatHuggingFace {
		t.Errorf("%s %+v", checkpoint.Format, checkpoint.Arch)
	}
	unnamed := smallArch()
	unnamed.Activation = ""
	if got := open(t, random(t, unnamed, 1)).Arch.Activation; got != QuickGELU {
		t.Errorf("an unnamed activation became %q", got)
	}
}

func TestRandomIsDeterministic(t *testing.T) {
	sums := map[string]string{}
	for _, c := range []struct {
		name string
		seed uint64
	}{{"one", 1}, {"again", 1}, {"two", 2}} {
		text, err := os.ReadFile(filepath.Join(random(t, smallArch(), c.seed), "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(text)
		sums[c.name] = hex.EncodeToString(sum[:])
	}
	if sums["one"] != sums["again"] || sums["one"] == sums["two"] {
		t.Errorf("%v", sums)
	}
	const expected = "b1db0aa9107c5e7da4ffe305dfa1bd6671ec7e6694dd8bd86fc137dc3260d2cc"
	if sums["one"] != expected {
		t.Errorf("seed 1 gives %s, it used to give %s", sums["one"], expected)
	}
}

// The distributions of OpenAI's CLIP.initialize_parameters, computed for width 128 with 2 layers and width 64 with 3 layers.
func TestRandomDistributions(t *testing.T) {
	stds := map[string]float64{
		"visual.conv1.weight":                                 1 / math.Sqrt(3*14*14) / math.Sqrt(3),
		"visual.class_embedding":                              0.0883883,
		"visual.positional_embedding":                         0.0883883,
		"visual.proj":                                         0.0883883,
		"visual.transformer.resblocks.1.attn.in_proj_weight":  0.0883883,
		"visual.transformer.resblocks.1.attn.out_proj.weight": 0.0441942,
		"visual.transformer.resblocks.0.mlp.c_fc.weight":      0.0625,
		"visual.transformer.resblocks.0.mlp.c_proj.weight":    0.0441942,
		"token_embedding.weight":                              0.02,
		"positional_embedding":                                0.01,
		"text_projection":                                     0.125,
		"transformer.resblocks.2.attn.in_proj_weight":         0.125,
		"transformer.resblocks.2.attn.out_proj.weight":        0.0510310,
		"transformer.resblocks.2.mlp.c_fc.weight":             0.0883883,
		"transformer.resblocks.2.mlp.c_proj.weight":           0.0510310,
		"transformer.resblocks.2.mlp.c_fc.bias":               0.125 / math.Sqrt(3),
	}
	constants := map[string]float32{
		"logit_scale": 2.6592600, "ln_final.weight": 1, "ln_final.bias": 0, "visual.ln_pre.weight": 1,
		"transformer.resblocks.0.attn.in_proj_bias": 0,
	}
	for _, tensor := range open(t, random(t, smallArch(), 7)).Tensors {
		read := make([]float32, tensor.NumElements())
		if err := tensor.ReadFloat32(read); err != nil {
			t.Fatal(err)
		}
		if want, ok := constants[tensor.Name]; ok {
			delete(constants, tensor.Name)
			if slices.ContainsFunc(read, func(v float32) bool { return v != want }) {
				t.Errorf("%s: %v, want %v", tensor.Name, read[0], want)
			}
		}
		want, ok := stds[tensor.Name]
		if !ok {
			continue
		}
		delete(stds, tensor.Name)
		sum, squares := 0.0, 0.0
		for _, v := range read {
			sum, squares = sum+float64(v), squares+float64(v)*float64(v)
		}
		n := float64(len(read))
		mean, std := sum/n, math.Sqrt(squares/n)
		if math.Abs(std/want-1) > 4/math.Sqrt(2*n) || math.Abs(mean) > 4*want/math.Sqrt(n) {
			t.Errorf("%s: mean %g, standard deviation %g, want 0, %g", tensor.Name, mean, std, want)
		}
		if tensor.DType == weights.F16 != (len(tensor.Shape) > 1) {
			t.Errorf("%s %v is %s", tensor.Name, tensor.Shape, tensor.DType)
		}
	}
	if len(stds)+len(constants) > 0 {
		t.Errorf("tensors not found: %v %v", stds, constants)
	}
}

// Each tensor has its own generator: two tensors of the same shape differ.
func TestRandomTensorsDiffer(t *testing.T) {
	seen := map[uint32]string{}
	for _, tensor := range open(t, random(t, smallArch(), 7)).Tensors {
		if len(tensor.Shape) < 2 {
			continue
		}
		bits := values(t, tensor)
		key := bits[0] ^ bits[1]<<7 ^ bits[2]<<13 ^ bits[3]<<19
		if other, ok := seen[key]; ok {
			t.Errorf("%s begins like %s", tensor.Name, other)
		}
		seen[key] = tensor.Name
	}
}

func TestRandomNeedsAFreeFolder(t *testing.T) {
	full := t.TempDir()
	kept := filepath.Join(full, "kept")
	if err := os.WriteFile(kept, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteRandom(full, smallArch(), 1); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a folder with a file: %v", err)
	}
	if err := WriteRandom(kept, smallArch(), 1); err == nil {
		t.Error("a file was taken for a folder")
	}
	if entries, err := os.ReadDir(full); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (%v)", entries, err)
	}
	parent := t.TempDir()
	empty := filepath.Join(parent, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := WriteRandom(empty, smallArch(), 1); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if entries, _ := os.ReadDir(parent); len(entries) != 1 {
		t.Errorf("beside the folder lies %v", entries)
	}
}

func TestRandomInTheCurrentFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	absolute, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{".", "./", absolute} {
		if err := WriteRandom(dir, smallArch(), 1); err == nil || !strings.Contains(err.Error(), "current folder") {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if entries, _ := os.ReadDir(".."); len(entries) != 1 {
		t.Errorf("beside the folder lies %v", entries)
	}
}

// A file system error is one line that names the given folder, not the temporary one.
func TestRandomErrors(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, strings.Repeat("n", 254)) // too long for a temporary name
	err := WriteRandom(dir, smallArch(), 1)
	if err == nil || err.Error() != "writing a random CLIP to "+dir+": "+syscall.ENAMETOOLONG.Error() {
		t.Errorf("%v", err)
	}
	full := &fs.PathError{Op: "write", Path: "temporary", Err: syscall.ENOSPC}
	err = writeFile(filepath.Join(parent, "file"), func(w io.Writer) error {
		w.Write([]byte("unflushed"))
		return fmt.Errorf("tensor a: %w", full)
	})
	if cause(err) != syscall.ENOSPC {
		t.Errorf("%v", err)
	}
}

func TestRandomRefusesArchitectures(t *testing.T) {
	for name, change := range map[string]func(*Arch){
		"no layers":    func(a *Arch) { a.TextLayers = 0 },
		"heads":        func(a *Arch) { a.VisionHeads = 3 },
		"no heads":     func(a *Arch) { a.TextHeads = 0 },
		"odd patch":    func(a *Arch) { a.Patch = 15 },
		"activation":   func(a *Arch) { a.Activation = "relu" },
		"negative":     func(a *Arch) { a.EmbedDim = -64 },
		"too deep":     func(a *Arch) { a.VisionLayers = maxLayers + 1 },
		"far too much": func(a *Arch) { a.VocabSize = 1 << 40 },
	} {
		arch := smallArch()
		change(&arch)
		dir := filepath.Join(t.TempDir(), "clip")
		if err := WriteRandom(dir, arch, 1); err == nil {
			t.Errorf("%s was accepted", name)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s left a folder", name)
		}
	}
}

// Loading must need little more memory than the model's size: opening a CLIP and reading
// every tensor into the caller's slices allocates almost nothing.
func TestLoadingAllocatesLittle(t *testing.T) {
	dir := random(t, TinyArch(), 3)
	var largest, total int64
	for _, tensor := range open(t, dir).Tensors {
		largest, total = max(largest, tensor.NumElements()), total+4*tensor.NumElements()
	}
	dst := make([]float32, largest)
	var before, after runtime.MemStats
	peak, sampled := uint64(0), runtime.MemStats{}
	runtime.GC()
	runtime.ReadMemStats(&before)
	checkpoint := open(t, dir)
	for _, tensor := range checkpoint.Tensors {
		if err := tensor.ReadFloat32(dst[:tensor.NumElements()]); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&sampled)
		peak = max(peak, sampled.HeapAlloc)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(total) {
		t.Errorf("loading %d bytes allocates %d bytes in all", total, used)
	}
	if above := int64(peak) - int64(before.HeapAlloc); above > total/4 {
		t.Errorf("loading %d bytes holds %d bytes at once", total, above)
	}
}
