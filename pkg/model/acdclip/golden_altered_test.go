package acdclip

import (
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/golden"
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
			compare := func(name string) []string {
				want := golden.Altered(t, folder.File(test.file), name)
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
