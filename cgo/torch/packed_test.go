package torch

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// inferred are the formats of packed matrices.
func inferred() []numbers {
	return []numbers{formats[0], formats[1], {"int8", 1.0 / 32, func(_ *Scope, weight, bias Tensor) Matrix { return Int8Matrix(weight, bias) }}}
}

// packed returns the block with packed matrices.
func packed(b FrozenBlock) FrozenBlock {
	b.QKV, b.Out, b.Expand, b.Reduce = b.QKV.Packed(), b.Out.Packed(), b.Expand.Packed(), b.Reduce.Packed()
	return b
}

// infer runs f as the scoring of pictures does.
func infer(t *testing.T, f func(s *Scope) error) {
	t.Helper()
	do(t, open(t), func(s *Scope) error { return s.Inference(func() error { return f(s) }) })
}

// sumStep returns the smallest step of a row of weights whose products fit into 16 bits where 4
// of every 8 inputs are added: with bytes up to 255, so weights of one sign up to 128 together, of
// which rounding can add 2.
func sumStep(row []float32) float64 {
	var largest float64
	for first := 0; first < len(row); first += 8 {
		var sums [2][2]float64 // of pairs of inputs in turn, and of a sign
		for i, w := range row[first:min(first+8, len(row))] {
			if w > 0 {
				sums[i/2%2][0] += float64(w)
			} else {
				sums[i/2%2][1] -= float64(w)
			}
		}
		for _, half := range sums {
			largest = max(largest, half[0], half[1])
		}
	}
	return largest / (128 - 2)
}

// TestInt8Matrix checks the conversion to whole numbers: the largest of a row is 127, or on
// processors without VNNI less, because of sums in 16 bits.
func TestInt8Matrix(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		vnni := Int8Matrix(s.Full(1, 1, 1), row(s, 0)).Weight.Float32s()[0] == 127
		const rows = 7
		for _, inputs := range []int{1, 4, 17, 200} {
			seed := 3
			weight := drawnTensor(s, &seed, rows, int64(inputs))
			values := weight.Float32s()
			for i := range values {
				switch i / inputs {
				case 0: // zeros
					values[i] = 0
				case 1: // the largest sums
					values[i] = 0.25
				case 2: // one weight makes the largest sum
					values[i] *= 0.001
					values[i-i%inputs] = -1
				}
			}
			m := Int8Matrix(s.FromFloat32(values, rows, int64(inputs)), s.Full(1, rows))
			whole, steps := m.Weight.Float32s(), m.Scale.Float32s()
			for r := range rows {
				row := values[r*inputs : (r+1)*inputs]
				var largest float64
				for _, w := range row {
					largest = max(largest, math.Abs(float64(w)))
				}
				want := max(largest, 1e-12) / 127
				if !vnni {
					want = max(want, sumStep(row))
				}
				if got := float64(steps[r]); math.Abs(got/want-1) > 1e-6 {
					t.Errorf("row %d of %d inputs: step %g, want %g", r, inputs, got, want)
				}
				for i, w := range row {
					got := float64(whole[r*inputs+i])
					if off := math.Abs(got - float64(w)/want); got != math.Round(got) || off > 0.5+1e-4 {
						t.Errorf("row %d of %d inputs: weight %d is %g steps, want %g", r, inputs, i, got, float64(w)/want)
					}
				}
			}
			if !m.RoundInputs || m.Bias.Float32s()[0] != 1 {
				t.Error("the matrix does not round its inputs, or has another bias")
			}
		}
		return nil
	})
}

// TestInt8Extremes checks that no sum of a product of whole numbers is too large for its
// registers: all inputs are the largest of their rows, all weights of a row have one sign.
func TestInt8Extremes(t *testing.T) {
	const inputs, outputs = 1024, 33
	infer(t, func(s *Scope) error {
		weight := make([]float32, outputs*inputs)
		for i := range weight {
			weight[i] = float32(1 - 2*(i/inputs%2)) // rows of 1 and -1
		}
		m := Int8Matrix(s.FromFloat32(weight, outputs, inputs), s.Full(0, outputs)).Packed()
		for i, got := range m.Apply(s.Full(3, 1, 2, inputs)).Float64s() {
			want := float64(weight[i%outputs*inputs]) * 3 * inputs
			if math.Abs(got/want-1) > 0.02 { // without VNNI 31.5 steps are rounded to 32
				t.Fatalf("output %d is %g, want %g", i, got, want)
			}
		}
		return nil
	})
}

// TestPackedMatrices compares products of packed matrices with those of the same matrices, and in
// float32 with sums in float64, for sizes that do not fill the processor's registers. Whole
// numbers may differ where an input is half way between two of them. The rounding errors of a
// float32 sum grow with the square root of its length: from 2.0e-8 for 1 input to 2.1e-6 for
// 2600, which AVX-512's kernels add in runs of 1024.
func TestPackedMatrices(t *testing.T) {
	limits := map[string]float64{"bfloat16": 1.0 / 128, "int8": 1e-5}
	for _, format := range inferred() {
		for _, size := range []struct{ rows, in, out int64 }{{1, 1, 1}, {3, 17, 5}, {5, 64, 48}, {13, 200, 33}, {31, 1100, 70}, {16, 2600, 40}} {
			do(t, open(t), func(s *Scope) error {
				seed := 7
				m := format.matrix(s, drawnTensor(s, &seed, size.out, size.in), drawnTensor(s, &seed, size.out))
				x := drawnTensor(s, &seed, 2, size.rows, size.in)
				want, limit := m.Apply(x).Float64s(), limits[format.name]
				if format.name == "float32" {
					want, limit = product(x.Float64s(), m.Weight.Float64s(), m.Bias.Float64s()), 5e-8*math.Sqrt(float64(size.in))
				}
				compare(t, fmt.Sprintf("%s %v", format.name, size), m.Packed().Apply(x), want, limit)
				return nil
			})
		}
	}
}

// product returns x weight^T + bias.
func product(x, weight, bias []float64) []float64 {
	out, in := len(bias), len(weight)/len(bias)
	y := make([]float64, len(x)/in*out)
	for i := range y {
		row, column := i/out*in, i%out*in
		y[i] = bias[i%out]
		for k := range in {
			y[i] += x[row+k] * weight[column+k]
		}
	}
	return y
}

// compare reports a difference of more than limit of the largest value.
func compare(t *testing.T, what string, tensor Tensor, want []float64, limit float64) {
	t.Helper()
	got := tensor.Float64s()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	largest, off := 0.0, 0.0
	for i, value := range want {
		largest, off = max(largest, math.Abs(value)), max(off, math.Abs(got[i]-value))
	}
	if !(off <= limit*largest) {
		t.Errorf("%s: differs by %.3g of the largest value, want %.3g", what, off/largest, limit)
	}
}

// TestPackedBlocks compares packed blocks, whose attention and activation have kernels of
// their own, with other operations, for heads and lengths that fill the kernels' registers
// and that do not. The largest differences that were seen are 1e-6 in float32, 0.030 in
// bfloat16 (0.022 for causal attention, which is libtorch's) and 0.026 in int8.
func TestPackedBlocks(t *testing.T) {
	limits := map[string]float64{"float32": 2e-6, "bfloat16": 1.0 / 32, "int8": 1.0 / 32}
	hardware, err := Hardware(CPU)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range inferred() {
		for _, size := range []struct{ length, width, heads int64 }{{1, 16, 1}, {7, 24, 2}, {65, 64, 2}, {70, 80, 1}, {200, 128, 1}, {330, 64, 1}, {33, 96, 2}} {
			if size.length > 200 && !(format.name == "float32" || format.name == "int8" && !strings.Contains(hardware, "BF16")) {
				continue // attention's products in parts, which only float32 has: in int8 without bf16 instructions too
			}
			for _, kind := range []FrozenBlock{{}, {QuickGELU: true}, {Causal: true}} {
				infer(t, func(s *Scope) error {
					b := drawnBlockOf(s, format, size.width, size.heads)
					b.QuickGELU, b.Causal = kind.QuickGELU, kind.Causal
					seed := 3
					x, what := drawnTensor(s, &seed, 2, size.length, size.width), fmt.Sprintf("%s %v quick %v causal %v", format.name, size, b.QuickGELU, b.Causal)
					want, wantParts := written(s, b, x)
					got, parts := packed(b).ApplyParts(x, Normed|Attention|Attended|ValueAttention)
					limit := limits[format.name]
					compare(t, what, got, want.Float64s(), limit)
					compare(t, what+" without parts", packed(b).Apply(x), want.Float64s(), limit)
					compare(t, what+", first rows", packed(b).ApplyFirst(x, min(3, size.length)), want.Narrow(1, 0, min(3, size.length)).Float64s(), limit)
					for name, pair := range map[string][2]Tensor{"normed": {parts.Normed, wantParts.Normed}, "attention": {parts.Attention, wantParts.Attention},
						"attended": {parts.Attended, wantParts.Attended}, "value attention": {parts.ValueAttention, wantParts.ValueAttention}} {
						compare(t, what+" "+name, pair[0], pair[1].Float64s(), limit)
					}
					return nil
				})
			}
		}
	}
}

// TestOtherProducts runs the tests of packed matrices again with oneDNN's products, with each
// set of kernels that this processor can run, and with none.
func TestOtherProducts(t *testing.T) {
	const set = "LIBACDCLIP_KERNELS="
	for _, variables := range [][]string{
		{"LIBACDCLIP_PRODUCTS=onednn", onlyOneDNN + "=1"},
		{set + "avx512_bf16"}, {set + "avx512_vnni"}, {set + "avx512"}, {set + "avx2_vnni"}, {set + "avx2"}, {set + "none"},
	} {
		command := exec.Command(os.Args[0], "-test.run=Packed|Int8|OnlyOneDNN")
		command.Env = append(os.Environ(), variables...)
		if output, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", variables[0], err, output)
		}
	}
}

const onlyOneDNN = "ACDCLIP_TEST_ONLY_ONEDNN"

// TestOnlyOneDNN checks which order TestOtherProducts packs matrices in.
func TestOnlyOneDNN(t *testing.T) {
	if os.Getenv(onlyOneDNN) == "" {
		t.Skip("TestOtherProducts runs it")
	}
	do(t, open(t), func(s *Scope) error {
		seed := 7
		for _, format := range inferred() {
			m := format.matrix(s, drawnTensor(s, &seed, 64, 32), drawnTensor(s, &seed, 64)).Packed()
			if shape := m.Weight.Shape(); len(shape) != 2 {
				t.Errorf("%s: a weight of 64 x 32 is packed to %v", format.name, shape)
			}
		}
		return nil
	})
}

// TestPackedKeepsNaN checks that a row with a NaN has no number as its result: that must not
// look like a score.
func TestPackedKeepsNaN(t *testing.T) {
	for _, format := range inferred() {
		infer(t, func(s *Scope) error {
			b := packed(drawnBlockOf(s, format, 32, 2))
			values := make([]float32, 2*5*32)
			values[3] = float32(math.NaN())
			for i, value := range b.Apply(s.FromFloat32(values, 2, 5, 32)).Float32s() {
				if isNaN, want := value != value, i < 5*32; isNaN != want { // attention mixes the rows of a picture
					t.Fatalf("%s: value %d is %g", format.name, i, value)
				}
			}
			return nil
		})
	}
}

var errNotPacked = errors.New("not packed")

// TestPackedRefused checks that a packed matrix refuses to record gradients.
func TestPackedRefused(t *testing.T) {
	for _, format := range inferred() {
		err := open(t).Do(t.Context(), func(s *Scope) error {
			seed := 5
			m := format.matrix(s, drawnTensor(s, &seed, 4, 4), drawnTensor(s, &seed, 4))
			packed := m.Packed()
			if packed.Weight == m.Weight {
				t.Logf("%s: not packed on this processor", format.name)
				return errNotPacked
			}
			x := drawnTensor(s, &seed, 1, 4)
			x.RequireGrad(true)
			packed.Apply(x)
			return nil
		})
		if errors.Is(err, errNotPacked) {
			continue
		}
		if err == nil || !strings.Contains(err.Error(), "no gradient") {
			t.Errorf("%s: %v", format.name, err)
		}
	}
}
