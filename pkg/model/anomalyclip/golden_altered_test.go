package anomalyclip

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/weights"
)

// TestAlteredNumbersAreFound checks that comparing with a golden file fails after one
// number of any tensor was changed.
func TestAlteredNumbersAreFound(t *testing.T) {
	goldens(t, func(t *testing.T, name string) {
		whole := golden.Open(t, name+".safetensors")
		r := goldenRecipe(t, name, whole)
		compare := func(tensor string) []string {
			want := altered(t, whole, tensor)
			return golden.Failures(t, func(t testing.TB) {
				if tensor == "" || !training.MatchString(tensor) {
					compareInference(t, want, r)
				}
				if tensor == "" || training.MatchString(tensor) {
					compareTraining(t, want, r)
				}
			})
		}
		if failed := compare(""); len(failed) > 0 {
			t.Fatalf("the unchanged copy fails: %s", strings.Join(failed, "\n"))
		}
		for _, tensor := range whole.Names("") {
			if strings.HasPrefix(tensor, "in.picture_mask.") || later.MatchString(tensor) {
				continue
			}
			if len(compare(tensor)) == 0 {
				t.Errorf("a changed number in %s goes unseen", tensor)
			}
		}
	})
}

// training matches the tensors that only training is compared with.
var training = regexp.MustCompile(`^(in\.mask|in\.label|loss.*|grad\..*|after2\..*|train.*)$`)

// later matches the tensors of a numbered series after the first two, which are compared alike.
var later = regexp.MustCompile(`\.([2-9]|\d\d)$`)

// altered opens a copy of a golden file in which the largest number of one tensor was changed.
func altered(t *testing.T, whole *golden.Tensors, name string) *golden.Tensors {
	t.Helper()
	var tensors []weights.Value
	for _, each := range whole.Names("") {
		from := whole.Take(t, each)
		values := from.Float32()
		if each == name {
			place := largest(values)
			values[place] *= 0.9 // a label becomes 0
			if name == "in.mask" {
				values[place] = 0 // a tenth of a pixel is less than the rounding of gradients
			}
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
