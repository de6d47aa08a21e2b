package acdclip

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/weights"
)

// TestAlteredNumbersAreFound checks that comparing with a golden folder fails after one
// number of any tensor was changed.
func TestAlteredNumbersAreFound(t *testing.T) {
	folder := golden.Folder{Path: filepath.Join(golden.Root(), "testdata", "golden")}
	lossNames := golden.Open(t, folder.File("loss.safetensors")).Names("")
	tests := []struct {
		file    string
		compare func(t testing.TB, want *golden.Tensors)
		names   []string
	}{
		{"loss.safetensors", compareLoss, lossNames},
		{"paper_n2_lora_dfg.safetensors", func(t testing.TB, want *golden.Tensors) { comparePaper(t, want, tinyCLIP()) }, []string{
			"in.image", "in.ids.abnormal", "param.visual.1.up", "param.text.0.A", "losses", "out.text_features", "out.visual.0", "out.gate_weights",
			"out.maps", "out.map", "out.cls_logits", "out.score", "grad.visual.0.gate.2.bias", "grad.text.1.B",
		}},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			whole := golden.Open(t, folder.File(test.file))
			compare := func(name string) []string {
				want := altered(t, whole, name)
				return golden.Failures(t, func(t testing.TB) { test.compare(t, want) })
			}
			if failed := compare(""); len(failed) > 0 {
				t.Fatalf("the unchanged copy fails: %s", strings.Join(failed, "\n"))
			}
			for _, name := range test.names {
				if len(compare(name)) == 0 {
					t.Errorf("a changed number in %s goes unseen", name)
				}
			}
		})
	}
}

// altered opens a copy of a golden file in which the largest number of one tensor was changed.
func altered(t *testing.T, whole *golden.Tensors, name string) *golden.Tensors {
	t.Helper()
	var tensors []weights.Value
	for _, each := range whole.Names("") {
		from := whole.Take(t, each)
		values := from.Float32()
		if each == name {
			values[largest(values)] *= 0.9 // ids become other ids, a label becomes 0
		}
		tensors = append(tensors, weights.Value{Name: each, Shape: from.Shape, Float32: values})
	}
	path := filepath.Join(t.TempDir(), "altered.safetensors")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := weights.WriteSafetensors(io.Writer(file), whole.Metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return golden.Open(t, path)
}

// largest returns the index of the value with the largest magnitude.
func largest(values []float32) int {
	place := 0
	for i, value := range values {
		if max(value, -value) > max(values[place], -values[place]) {
			place = i
		}
	}
	return place
}
