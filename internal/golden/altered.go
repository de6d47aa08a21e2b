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
	return Open(t, path).Altered(t, name, func(_ []int64, values []float32) { AlterLargest(values) })
}

// Altered returns a copy with one tensor changed by alter, which is given the tensor's shape
// and values; "" for none.
func (f *Tensors) Altered(t testing.TB, name string, alter func(shape []int64, values []float32)) *Tensors {
	t.Helper()
	var tensors []weights.Value
	for _, each := range f.Names("") {
		from := f.Take(t, each)
		values := from.Float32()
		if each == name {
			alter(from.Shape, values)
		}
		tensors = append(tensors, weights.Value{Name: each, Shape: from.Shape, Float32: values})
	}
	copied := filepath.Join(t.TempDir(), "altered.safetensors")
	file, err := os.Create(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := weights.WriteSafetensors(file, f.Metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return Open(t, copied)
}

// AlterLargest changes the value with the largest magnitude: an id becomes another id, a
// label 0.
func AlterLargest(values []float32) {
	if at := Largest(values); values[at] != 0 {
		values[at] *= 0.9
	} else {
		values[at] = 1
	}
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
