package golden

import (
	"math"
	"slices"
	"sort"
	"strings"
	"testing"

	"acdclip/pkg/weights"
)

// Tensors is one safetensors file of golden data. It records which tensors were used, so
// that AllUsed can check that tests compare all of them.
type Tensors struct {
	Metadata map[string]string
	path     string
	values   map[string]Values
	used     map[string]bool
}

// Values is one tensor, as float64.
type Values struct {
	Shape []int64
	Data  []float64
}

// Float32 returns the values as float32.
func (v Values) Float32() []float32 {
	values := make([]float32, len(v.Data))
	for i, value := range v.Data {
		values[i] = float32(value)
	}
	return values
}

// Open reads a small safetensors file completely.
func Open(t testing.TB, path string) *Tensors {
	t.Helper()
	file, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	tensors := &Tensors{Metadata: file.Metadata, path: path, values: map[string]Values{}, used: map[string]bool{}}
	for _, tensor := range file.Tensors {
		values := Values{Shape: tensor.Shape, Data: make([]float64, tensor.NumElements())}
		single := make([]float32, len(values.Data))
		if err := tensor.ReadFloat32(single); err != nil {
			t.Fatal(err)
		}
		for i, value := range single {
			values.Data[i] = float64(value)
		}
		tensors.values[tensor.Name] = values
	}
	return tensors
}

// Has reports whether there is a tensor of that name.
func (f *Tensors) Has(name string) bool {
	_, found := f.values[name]
	return found
}

// Take returns a tensor and marks it as used.
func (f *Tensors) Take(t testing.TB, name string) Values {
	t.Helper()
	values, found := f.values[name]
	if !found {
		t.Fatalf("%s has no tensor %s", f.path, name)
	}
	f.used[name] = true
	return values
}

// Names returns the sorted names that begin with prefix.
func (f *Tensors) Names(prefix string) []string {
	var names []string
	for name := range f.values {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// AllUsed fails the test for tensors that were never used, except those that begin with one of except.
func (f *Tensors) AllUsed(t testing.TB, except ...string) {
	t.Helper()
	for _, name := range f.Names("") {
		other := slices.ContainsFunc(except, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if !f.used[name] && !other {
			t.Errorf("%s: tensor %s was not used", f.path, name)
		}
	}
}

// Relative compares values with a tensor. No difference may exceed limit times the
// tensor's largest absolute value.
func (f *Tensors) Relative(t testing.TB, name string, got []float32, limit float64) {
	t.Helper()
	want := f.Take(t, name)
	largest := 0.0
	for _, value := range want.Data {
		largest = max(largest, math.Abs(value))
	}
	f.compare(t, name, got, want, limit*largest)
}

// Absolute compares values with a tensor. No difference may exceed limit.
func (f *Tensors) Absolute(t testing.TB, name string, got []float32, limit float64) {
	t.Helper()
	f.compare(t, name, got, f.Take(t, name), limit)
}

func (f *Tensors) compare(t testing.TB, name string, got []float32, want Values, limit float64) {
	t.Helper()
	if len(got) != len(want.Data) {
		t.Errorf("%s: got %d values, want %d", name, len(got), len(want.Data))
		return
	}
	if worst := Worst(got, want.Data); !(worst <= limit) {
		t.Errorf("%s: largest difference %.3g, allowed %.3g", name, worst, limit)
	}
}

// Worst returns the largest absolute difference; NaN, which exceeds every limit, if a difference is NaN.
func Worst(got []float32, want []float64) float64 {
	worst := 0.0
	for i, value := range got {
		worst = max(worst, math.Abs(float64(value)-want[i])) // max propagates NaN
	}
	return worst
}

// Check is one comparison of computed values with a tensor. Several may be collected and
// compared with altered copies of the tensors, without computing the values again.
type Check struct {
	Name     string
	Got      []float32
	Limit    float64
	Relative bool // to the tensor's largest absolute value
}

// Compare makes the comparisons.
func (f *Tensors) Compare(t testing.TB, checks []Check) {
	t.Helper()
	for _, c := range checks {
		if c.Relative {
			f.Relative(t, c.Name, c.Got, c.Limit)
		} else {
			f.Absolute(t, c.Name, c.Got, c.Limit)
		}
	}
}
