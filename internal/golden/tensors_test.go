package golden

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/pkg/weights"
)

// sample writes and opens a file with two tensors.
func sample(t *testing.T, first float32) *Tensors {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample.safetensors")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = weights.WriteSafetensors(io.Writer(file), map[string]string{"seed": "3"}, []weights.Value{
		{Name: "map", Shape: []int64{2, 2}, Float32: []float32{first, -8, 0, 1}},
		{Name: "none", Shape: []int64{0}, Float32: nil},
	})
	if err != nil {
		t.Fatal(err)
	}
	return Open(t, path)
}

func TestComparisons(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tests := []struct {
		name  string
		first float32 // the first of the four values
		got   []float32
		limit float64
		says  string // "" passes
	}{
		{"the same", 2, []float32{2, -8, 0, 1}, 0, ""},
		{"within", 2, []float32{2, -8, 0.001, 1}, 0.0011, ""},
		{"one number off", 2, []float32{2, -8, 0, 1.1}, 0.01, "largest difference 0.1"},
		{"too few", 2, []float32{2, -8, 0}, 1, "got 3 values, want 4"},
		{"too many", 2, []float32{2, -8, 0, 1, 0}, 1, "got 5 values, want 4"},
		{"no values", 2, nil, 1, "got 0 values"},
		{"got NaN", 2, []float32{2, nan, 0, 1}, 100, "NaN"},
		{"got NaN before a large one", 2, []float32{nan, -800, 0, 1}, 100, "NaN"},
		{"want NaN", nan, []float32{2, -8, 0, 1}, 100, "NaN"},
		{"both NaN", nan, []float32{nan, -8, 0, 1}, 100, "NaN"},
		{"infinite", 2, []float32{inf, -8, 0, 1}, 100, "Inf"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := sample(t, test.first)
			failed := Failures(t, func(t testing.TB) { f.Absolute(t, "map", test.got, test.limit) })
			if message := strings.Join(failed, "\n"); (message == "") != (test.says == "") || !strings.Contains(message, test.says) {
				t.Errorf("reported %q, want %q", message, test.says)
			}
		})
	}
}

// TestRelativeIsToTheLargestValue: the largest absolute value in the sample is 8.
func TestRelativeIsToTheLargestValue(t *testing.T) {
	f := sample(t, 2)
	for limit, fails := range map[float64]bool{0.02: false, 0.01: true} {
		failed := Failures(t, func(t testing.TB) { f.Relative(t, "map", []float32{2, -8, 0.1, 1}, limit) })
		if (len(failed) > 0) != fails {
			t.Errorf("0.1 off within %g of 8 reported %q", limit, failed)
		}
	}
}

func TestNothingGoesUnused(t *testing.T) {
	f := sample(t, 2)
	if failed := Failures(t, func(t testing.TB) { f.AllUsed(t) }); len(failed) != 2 {
		t.Errorf("two unused tensors were reported as %q", failed)
	}
	f.Relative(t, "none", nil, 0)
	if failed := Failures(t, func(t testing.TB) { f.AllUsed(t, "ma") }); len(failed) != 0 {
		t.Errorf("an excepted tensor was reported as %q", failed)
	}
	failed := Failures(t, func(t testing.TB) { f.AllUsed(t, "ap") })
	if len(failed) != 1 || !strings.Contains(failed[0], "tensor map was not used") {
		t.Errorf("an unused tensor was reported as %q", failed)
	}
	failed = Failures(t, func(t testing.TB) { f.Take(t, "absent"); t.Error("went on") })
	if len(failed) != 1 || !strings.Contains(failed[0], "no tensor absent") {
		t.Errorf("a tensor that is not there was reported as %q", failed)
	}
	if f.Has("absent") || !f.Has("map") || f.Metadata["seed"] != "3" || len(f.Names("m")) != 1 {
		t.Errorf("the file holds %v, metadata %v", f.Names(""), f.Metadata)
	}
}
