package augment

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"testing"

	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/weights"
)

// fixture is the output of scripts/fixtures/augment.py.
type fixture struct {
	*testing.T
	file *weights.File
}

// floats reads a float tensor.
func (f fixture) floats(name string) (shape []int64, values []float32) {
	f.Helper()
	tensor, ok := f.file.Lookup(name)
	if !ok {
		f.Fatalf("no tensor %s", name)
	}
	values = make([]float32, tensor.NumElements())
	if err := tensor.ReadFloat32(values); err != nil {
		f.Fatal(err)
	}
	return tensor.Shape, values
}

// bytes reads a byte tensor.
func (f fixture) bytes(name string) (shape []int64, values []uint8) {
	f.Helper()
	shape, floats := f.floats(name)
	for _, v := range floats {
		values = append(values, uint8(v))
	}
	return shape, values
}

// has reports whether the fixture has a tensor of that name.
func (f fixture) has(name string) bool {
	_, ok := f.file.Lookup(name)
	return ok
}

// colored applies the case's color transforms to its picture. Noise, if any, uses the fixture's planes.
func (f fixture) colored(name string, p Parameters) *picture.Image {
	in := "picture.in"
	if f.has(name + ".in") {
		in = name + ".in"
	}
	shape, pix := f.bytes(in)
	if f.has(name + ".m") {
		_, m := f.bytes(name + ".m")
		_, n := f.floats(name + ".n")
		multiply(pix, planes(m, n))
	}
	return p.Color(&picture.Image{Width: int(shape[1]), Height: int(shape[0]), Pix: pix})
}

// planes reads specks off the planes m [H, W] and n [H, W, 3].
func planes(m []uint8, n []float32) iter.Seq[speck] {
	return func(yield func(speck) bool) {
		for i, set := range m {
			if set == 1 && !yield(speck{i, [3]float32(n[3*i:])}) {
				return
			}
		}
	}
}

// equal fails the test unless got equals the tensor of that name.
func (f fixture) equal(name string, got []uint8) {
	f.Helper()
	_, want := f.bytes(name)
	if len(got) != len(want) {
		f.Fatalf("%s: %d values, want %d", name, len(got), len(want))
	}
	different := 0
	for i := range want {
		if got[i] != want[i] {
			different++
		}
	}
	if different > 0 {
		f.Errorf("%s: %d of %d values differ", name, different, len(want))
	}
}

// TestTorchvision compares every transform, alone and combined, with torchvision.
func TestTorchvision(t *testing.T) {
	file, err := weights.Open("testdata/augment.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var cases map[string]Parameters
	if err := json.Unmarshal([]byte(file.Metadata["cases"]), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	for name, p := range cases {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			f := fixture{t, file}
			shape, _ := f.bytes(name + ".out")
			size := int(shape[0])
			switch {
			case name == "chain":
				_, mask := f.bytes("35.mask")
				pix, mask, _ := p.Geometry(f.colored(name, p).ResizeBicubic(size, size).Pix, mask, size)
				f.equal(name+".out", pix)
				f.equal(name+".mask", mask)
			case f.has(name + ".mask"):
				f.compareGeometry(name, p, size)
			default:
				f.equal(name+".out", f.colored(name, p).Pix)
			}
		})
	}
}

func (f fixture) compareGeometry(name string, p Parameters, size int) {
	f.Helper()
	_, pix := f.bytes(fmt.Sprint(size, ".in"))
	_, mask := f.bytes(fmt.Sprint(size, ".mask"))
	gotPix, gotMask, inside := p.Geometry(pix, mask, size)
	f.equal(name+".out", gotPix)
	f.equal(name+".mask", gotMask)
	_, want := f.bytes(name + ".out") // blue is 255 all over the input
	filled := false
	for i := range size * size {
		filled = filled || want[3*i+2] == 0
		if inside != nil && inside[i]*255 != want[3*i+2] {
			f.Fatalf("inside at %d is %d", i, inside[i])
		}
	}
	if filled == (inside == nil) {
		f.Errorf("some pixel is fill: %v, but inside is %v", filled, inside)
	}
}
