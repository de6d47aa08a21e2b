package checkpoint

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/config"
	"acdclip/pkg/contents"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
	"acdclip/pkg/weights"
)

// methods are the methods whose checkpoints the tests can open.
func methods() card.List { return card.List{options.Card()} }

// sample returns the metadata of a training run.
func sample(t testing.TB) Metadata {
	t.Helper()
	preset := options.Card().Presets[0]
	seed := uint64(1<<63 + 1) // more than a float64 holds
	return Metadata{
		Format: FormatVersion, Method: options.Name, Preset: options.Paper, Model: preset.Model(), Loss: preset.Loss(),
		Recipe:  Recipe{Epochs: 20, Batch: 6, LR: config.LR{Text: 5e-4, Vision: 1e-3}, LRDecay: 0.9},
		Prompts: []string{"metal nut", "<b>\u2028"}, Auxiliary: "visa", ListHash: "sha256:01", Files: contents.NewSet([]contents.Sum{{Size: 7, Hash: [8]byte{1, 2}}}), CLIP: "sha256:02",
		Seed: &seed, Epoch: 3, Threads: 2, Device: "cpu", Versions: Versions{Acdclip: "v1", Libtorch: "2.11.0"},
	}
}

func sampleTensors() []weights.Value {
	return []weights.Value{
		{Name: "visual.0.down", Shape: []int64{3, 2}, Float32: []float32{1, -2, 3, 1e-40, 5, 6}},
		{Name: "text.0.norm.bias", Shape: []int64{2}, Float32: []float32{0, -0.5}},
	}
}

func sampleSpecs() []Spec {
	return []Spec{{"visual.0.down", []int64{3, 2}}, {"text.0.norm.bias", []int64{2}}}
}

// write writes a checkpoint into a temporary folder.
func write(t testing.TB, metadata Metadata, tensors []weights.Value) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.safetensors")
	if err := writeFile(path, metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, path string) *Checkpoint {
	t.Helper()
	c, err := Open(path, methods())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	path := write(t, sample(t), sampleTensors())
	c := open(t, path)
	if want := sample(t); !reflect.DeepEqual(c.Metadata, want) {
		t.Errorf("metadata came back as %+v, want %+v", c.Metadata, want)
	}
	if err := c.Match(sampleSpecs()); err != nil {
		t.Error(err)
	}
	var again []weights.Value
	for _, want := range sampleTensors() {
		got := make([]float32, len(want.Float32))
		if err := c.Read(want.Name, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want.Float32) {
			t.Errorf("%s came back as %v, want %v", want.Name, got, want.Float32)
		}
		again = append(again, weights.Value{Name: want.Name, Shape: want.Shape, Float32: got})
	}
	first, second := valuesOf(t, path), valuesOf(t, write(t, c.Metadata, again))
	if !slices.Equal(first, second) {
		t.Error("a checkpoint that was read and written again has other bytes")
	}
	if twin := open(t, write(t, c.Metadata, again)); twin.Fingerprint != c.Fingerprint || !strings.HasPrefix(c.Fingerprint, "sha256:") {
		t.Errorf("the same bytes have the fingerprints %s and %s", c.Fingerprint, twin.Fingerprint)
	}
	changed := sample(t)
	changed.Epoch++
	if other := open(t, write(t, changed, again)); other.Fingerprint == c.Fingerprint {
		t.Error("another epoch has the same fingerprint")
	}
}

func valuesOf(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestAFailedWriteLeavesWhatWasThere(t *testing.T) {
	path := write(t, sample(t), sampleTensors())
	before := valuesOf(t, path)
	err := writeFile(path, sample(t), []weights.Value{{Name: "short", Shape: []int64{3}, Float32: []float32{1}}})
	if err == nil {
		t.Fatal("a tensor with too few values was written")
	}
	entries, listing := os.ReadDir(filepath.Dir(path))
	if listing != nil || len(entries) != 1 || !slices.Equal(before, valuesOf(t, path)) {
		t.Errorf("after %v the folder holds %v", err, entries)
	}
}

func TestMatchNamesWhatDoesNotFit(t *testing.T) {
	c := open(t, write(t, sample(t), sampleTensors()))
	tests := []struct {
		name   string
		wanted []Spec
		says   []string
	}{
		{"missing", append(sampleSpecs(), Spec{"visual.0.up", []int64{2, 3}}), []string{"tensor visual.0.up is missing"}},
		{"extra", sampleSpecs()[:1], []string{"tensor text.0.norm.bias is not a parameter of the model"}},
		{"shape", []Spec{{"visual.0.down", []int64{2, 3}}, sampleSpecs()[1]}, []string{"tensor visual.0.down has shape [3 2], expected [2 3]"}},
		{"rank", []Spec{{"visual.0.down", []int64{6}}, sampleSpecs()[1]}, []string{"[3 2]", "[6]"}},
		{"many", []Spec{{"a", nil}, {"b", nil}, {"c", nil}, {"d", nil}}, []string{"tensor a is missing", "; and 1 more"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := c.Match(test.wanted)
			for _, says := range append(test.says, c.Path) {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%v does not say %q", err, says)
				}
			}
		})
	}
	if err := c.Read("visual.0.up", nil); err == nil || !strings.Contains(err.Error(), "no tensor visual.0.up") {
		t.Errorf("reading what is not there gave %v", err)
	}
	if err := c.Read("visual.0.down", make([]float32, 5)); err == nil {
		t.Error("six values were read into five")
	}
}

func TestOpenRefuses(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "notes.safetensors")
	if err := os.WriteFile(text, []byte("not weights at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(folder, "cut.safetensors")
	whole := valuesOf(t, write(t, sample(t), sampleTensors()))
	if err := os.WriteFile(cut, whole[:len(whole)-1], 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, cut, folder, filepath.Join(folder, "absent")} {
		if c, err := Open(path, methods()); err == nil {
			c.Close()
			t.Errorf("%s was opened", path)
		} else if !strings.Contains(err.Error(), filepath.Base(path)) {
			t.Errorf("%v does not name the file", err)
		}
	}
	if _, err := Open(filepath.Join(folder, "absent"), methods()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gave %v", err)
	}
}

// writeFile writes a checkpoint's file.
func writeFile(path string, metadata Metadata, tensors []weights.Value) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Encode(w, metadata, tensors) })
}
