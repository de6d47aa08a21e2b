package golden

import (
	"os"
	"path/filepath"
	"testing"

	"acdclip/pkg/weights"
)

// Altered opens a copy of a file of golden data in which the largest number of one tensor
// was changed; "" for none. Comparing with it must fail.
func Altered(t testing.TB, path, name string) *Tensors {
	t.Helper()
	whole := Open(t, path)
	var tensors []weights.Value
	for _, each := range whole.Names("") {
		from := whole.Take(t, each)
		values := from.Float32()
		if each == name {
			if at := Largest(values); values[at] != 0 {
				values[at] *= 0.9 // ids become other ids, a label becomes 0
			} else {
				values[at] = 1
			}
		}
		tensors = append(tensors, weights.Value{Name: each, Shape: from.Shape, Float32: values})
	}
	copied := filepath.Join(t.TempDir(), "altered.safetensors")
	file, err := os.Create(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := weights.WriteSafetensors(file, whole.Metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return Open(t, copied)
}

// Largest returns the index of the value with the largest magnitude.
func Largest(values []float32) int {
	place := 0
	for i, value := range values {
		if max(value, -value) > max(values[place], -values[place]) {
			place = i
		}
	}
	return place
}
