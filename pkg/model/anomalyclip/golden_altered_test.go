package anomalyclip

import (
	"regexp"
	"strings"
	"testing"

	"acdclip/internal/golden"
)

// TestAlteredNumbersAreFound checks that comparing with a golden file fails after one
// number of any tensor was changed.
func TestAlteredNumbersAreFound(t *testing.T) {
	goldens(t, func(t *testing.T, name string) {
		whole := golden.Open(t, name+".safetensors")
		r := goldenRecipe(t, name, whole)
		compare := func(tensor string) []string {
			want := whole.Altered(t, tensor, func(_ []int64, values []float32) { alter(tensor, values) })
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

// alter changes the largest number of a tensor.
func alter(name string, values []float32) {
	if name == "in.mask" {
		values[golden.Largest(values)] = 0 // a tenth of a pixel is less than the rounding of gradients
		return
	}
	golden.AlterLargest(values)
}
