package torch

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// handBlock is a block of width 2 whose matrices are all zero, so that it returns its
// input.
func handBlock(s *Scope, format DType) FrozenBlock {
	zero := func(out, in int64) Matrix { return plain(s.Full(0, out, in), s.Full(0, out), format) }
	norm := func() Affine { return Affine{row(s, 1, 1), row(s, 0, 0)} }
	return FrozenBlock{Norm1: norm(), QKV: zero(6, 2), Out: zero(2, 2), Norm2: norm(), Expand: zero(2, 2), Reduce: zero(2, 2), Heads: 1}
}

// TestFrozenBlockByHand checks blocks in which only one part has an effect.
func TestFrozenBlockByHand(t *testing.T) {
	logistic := func(x float64) float32 { return float32(x / (1 + math.Exp(-1.702*x))) }
	erf := func(x float64) float32 { return float32(x / 2 * (1 + math.Erf(x/math.Sqrt2))) }
	identity := func(s *Scope) Tensor { return table(s, 1, 0, 0, 1) }
	// The norms turn each position into 1 and -1; the first value of v becomes 2, then 4.
	attention := func(s *Scope, b *FrozenBlock) {
		b.QKV = plain(s.FromFloat32([]float32{0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0}, 6, 2), row(s, 0, 0, 0, 0, 3, 0), Float32)
		b.Out.Weight = identity(s)
	}
	// The MLP's hidden layer is -1 and 2 everywhere.
	mlp := func(s *Scope, b *FrozenBlock) { b.Expand.Bias, b.Reduce.Weight = row(s, -1, 2), identity(s) }
	for _, test := range []struct {
		name   string
		format DType
		change func(s *Scope, b *FrozenBlock)
		want   []float32 // added to 1, -1, -1, 1
	}{
		{"nothing", Float32, func(*Scope, *FrozenBlock) {}, []float32{0, 0, 0, 0}},
		{"attention", Float32, attention, []float32{3, 0, 3, 0}},
		{"causal attention", Float32, func(s *Scope, b *FrozenBlock) { attention(s, b); b.Causal = true }, []float32{2, 0, 3, 0}},
		{"GELU", Float32, mlp, []float32{erf(-1), erf(2), erf(-1), erf(2)}},
		{"QuickGELU", Float32, func(s *Scope, b *FrozenBlock) { mlp(s, b); b.QuickGELU = true }, []float32{logistic(-1), logistic(2), logistic(-1), logistic(2)}},
		// The inputs of the MLP are 1.001, which becomes 1, and 256. A sum 256 + 1 + 1 in bfloat16 would lose both ones, because it cannot represent 257.
		{"sums in bfloat16", BFloat16, func(s *Scope, b *FrozenBlock) {
			b.Norm2 = Affine{s.Full(0, 3), row(s, 1.001, 256, 1)}
			b.Expand = plain(s.Full(1, 1, 3), row(s, 0), BFloat16)
			b.Reduce = plain(s.Full(1, 3, 1), row(s, 0, 0, 0), BFloat16)
			b.Norm1, b.Out = Affine{s.Full(1, 3), s.Full(0, 3)}, plain(s.Full(0, 3, 3), s.Full(0, 3), BFloat16)
			b.QKV = plain(s.Full(0, 9, 3), s.Full(0, 9), BFloat16)
		}, []float32{258, 258, 258}},
	} {
		do(t, open(t), func(s *Scope) error {
			b := handBlock(s, test.format)
			test.change(s, &b)
			x := s.FromFloat32([]float32{1, -1, -1, 1}, 1, 2, 2)
			if len(test.want) == 3 {
				x = s.Full(0, 1, 1, 3)
			}
			for i, value := range b.Apply(x).Sub(x).Float32s() {
				if math.Abs(float64(value-test.want[i])) > 1e-6 {
					t.Errorf("%s: value %d is %g, want %g", test.name, i, value, test.want[i])
				}
			}
			return nil
		})
	}
}

// drawnBlock is a block with random values and width 8, in a number format.
func drawnBlock(s *Scope, format numbers) FrozenBlock { return drawnBlockOf(s, format, 8, 2) }

// drawnBlockOf is drawnBlock for any width. Wider matrices have smaller values, so that the
// products stay alike.
func drawnBlockOf(s *Scope, format numbers, width, heads int64) FrozenBlock {
	seed := 1000
	drawn := func(shape ...int64) Tensor { return drawnTensor(s, &seed, shape...) }
	matrix := func(out, in int64) Matrix {
		return format.matrix(s, drawn(out, in).MulScalar(math.Sqrt(8/float64(width))), drawn(out))
	}
	norm := func() Affine { return Affine{drawn(width), drawn(width)} }
	return FrozenBlock{
		Norm1: norm(), QKV: matrix(3*width, width), Out: matrix(width, width),
		Norm2: norm(), Expand: matrix(4*width, width), Reduce: matrix(width, 4*width),
		Heads: heads, Epsilon: 1e-5,
	}
}

func drawnTensor(s *Scope, seed *int, shape ...int64) Tensor {
	count := int64(1)
	for _, n := range shape {
		count *= n
	}
	values := make([]float32, count)
	for i := range values {
		*seed++
		values[i] = float32(math.Sin(float64(*seed * *seed)))
	}
	return s.FromFloat32(values, shape...)
}

// written computes the block with other operations, with all its parts. In half precision
// it rounds like the block.
func written(s *Scope, b FrozenBlock, x Tensor) (Tensor, Parts) {
	batch, length, width := x.Dim(0), x.Dim(1), x.Dim(2)
	normed := x.LayerNorm(b.Norm1.Weight, b.Norm1.Bias, b.Epsilon)
	qkv := multiplied(normed, b.QKV)
	part := func(i int64) Tensor {
		return qkv.Narrow(2, i*width, width).Reshape(batch, length, b.Heads, width/b.Heads).Transpose(1, 2)
	}
	attention := func(q, k, v Tensor) Tensor {
		similarities := q.MatMul(k.Transpose(2, 3)).MulScalar(1 / math.Sqrt(float64(width/b.Heads)))
		if b.Causal {
			hidden := make([]float32, length*length)
			for i := range hidden {
				if int64(i)%length > int64(i)/length {
					hidden[i] = float32(math.Inf(-1))
				}
			}
			similarities = similarities.Add(s.FromFloat32(hidden, length, length).To(b.QKV.Bias.dtype()))
		}
		mixed := similarities.Softmax(3).MatMul(v).Transpose(1, 2).Reshape(batch, length, width)
		return multiplied(mixed, b.Out).To(Float32)
	}
	added := attention(part(0), part(1), part(2))
	y := x.Add(added)
	parts := Parts{normed, added, y, attention(part(2), part(2), part(2))}
	hidden := multiplied(y.LayerNorm(b.Norm2.Weight, b.Norm2.Bias, b.Epsilon), b.Expand)
	if b.QuickGELU {
		// sigmoid(a) is the first value of softmax(a, 0).
		a := hidden.MulScalar(1.702)
		sigmoid := Stack(0, a, a.MulScalar(0)).Softmax(0).Narrow(0, 0, 1).Reshape(hidden.Shape()...)
		hidden = hidden.Mul(sigmoid)
	} else {
		hidden = hidden.GELU()
	}
	return y.Add(multiplied(hidden, b.Reduce)), parts
}

// named returns the defined parts by name.
func named(p Parts) map[string]Tensor {
	all := map[string]Tensor{"normed": p.Normed, "attention": p.Attention, "attended": p.Attended, "value attention": p.ValueAttention}
	maps.DeleteFunc(all, func(_ string, t Tensor) bool { return !t.Defined() })
	return all
}

const everyPart = Normed | Attention | Attended | ValueAttention

// gradientOf returns the gradient of the sum of y with respect to x.
func gradientOf(x, y Tensor) []float32 {
	x.ClearGrad()
	y.Sum().Backward()
	gradient, _ := x.Grad()
	return gradient.Float32s()
}

// TestFrozenBlock compares values and gradients, also those of the parts, with a block
// written out in other operations, in every format and for every memory layout of the
// input. They are bit-identical with and without a graph, with and without parts, and with
// and without activation recomputation.
func TestFrozenBlock(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		seed := 0
		x := drawnTensor(s, &seed, 5, 2, 8)
		x.RequireGrad(true)
		for _, format := range formats {
			for name, shape := range map[string]func(Tensor) Tensor{
				"as it is":   func(x Tensor) Tensor { return x },
				"transposed": func(x Tensor) Tensor { return x.Transpose(0, 1) },
			} {
				for choice := range 4 {
					what := fmt.Sprintf("%s, %s, choice %d", format.name, name, choice)
					b := drawnBlock(s, format)
					b.Causal, b.QuickGELU = choice&1 == 1, choice&2 == 2
					compareBlock(t, s, what, b, x, shape, format.limit)
				}
			}
		}
		return nil
	})
}

func compareBlock(t *testing.T, s *Scope, what string, b FrozenBlock, x Tensor, shape func(Tensor) Tensor, limit float64) {
	t.Helper()
	again := b
	again.Recompute = true
	want, wantParts := written(s, b, shape(x))
	alone := b.Apply(shape(x))
	bare, bareParts := withoutGraph(s, b, shape(x))
	for name, run := range map[string]FrozenBlock{"kept": b, "computed again": again} {
		got, parts := run.ApplyParts(shape(x), everyPart)
		if got.dtype() != Float32 || !slices.Equal(got.Float32s(), alone.Float32s()) || !slices.Equal(got.Float32s(), bare.Float32s()) {
			t.Errorf("%s, %s: values are others with parts, without a graph or when they are computed again", what, name)
		}
		if len(named(parts)) != len(named(wantParts)) {
			t.Errorf("%s, %s: it gives the parts %v", what, name, slices.Collect(maps.Keys(named(parts))))
		}
		for part, value := range named(parts) {
			near(t, what+", "+part, value.Float32s(), named(wantParts)[part].Float32s(), limit)
			if value.dtype() != Float32 || !slices.Equal(value.Float32s(), named(bareParts)[part].Float32s()) {
				t.Errorf("%s, %s, %s: values are others without a graph, or of type %d", what, name, part, value.dtype())
			}
		}
	}
	near(t, what+", the values", alone.Float32s(), want.Float32s(), limit)
	for _, learn := range []struct {
		by     string
		wanted Part
		loss   func(y Tensor, p Parts) Tensor
	}{
		{"the output", 0, func(y Tensor, _ Parts) Tensor { return y.Pow(3) }},
		{"all", everyPart, func(y Tensor, p Parts) Tensor {
			return Stack(0, y, p.Normed, p.Attention, p.Attended, p.ValueAttention).Pow(3)
		}},
		{"value attention alone", everyPart, func(_ Tensor, p Parts) Tensor { return p.ValueAttention.Pow(2) }},
	} {
		kept := gradientOf(x, learn.loss(b.ApplyParts(shape(x), learn.wanted)))
		near(t, what+", gradient by "+learn.by, kept, gradientOf(x, learn.loss(written(s, b, shape(x)))), limit)
		if !slices.Equal(kept, gradientOf(x, learn.loss(again.ApplyParts(shape(x), learn.wanted)))) {
			t.Errorf("%s: the gradient by %s is another when activations are computed again", what, learn.by)
		}
	}
}

// withoutGraph returns b.ApplyParts of x with every part, without a graph.
func withoutGraph(s *Scope, b FrozenBlock, x Tensor) (y Tensor, parts Parts) {
	_ = s.NoGrad(func() error { y, parts = b.ApplyParts(x, everyPart); return nil })
	return y, parts
}

// TestFirstRows compares the first rows of a block, and their gradients, with those of the
// whole block, in every format and for every memory layout of the input. They are
// bit-identical with and without a graph and with and without activation recomputation.
// Without AVX-512, oneDNN may add in another order where there are fewer rows. Gradients pass
// through more sums than values, and differ by up to 2.1e-6.
func TestFirstRows(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		seed := 0
		for _, format := range formats {
			for choice := range 8 {
				b := drawnBlock(s, format)
				b.Causal, b.QuickGELU, b.Heads = choice&1 == 1, choice&2 == 2, []int64{1, 4}[choice>>2]
				limit := 1e-6
				if b.QKV.RoundInputs || b.QKV.Bias.dtype() != Float32 {
					limit = format.limit // a sum in another order may round to the next number
				}
				for _, batch := range []int64{1, 3} {
					x := drawnTensor(s, &seed, batch, 5, 8)
					x.RequireGrad(true)
					for _, rows := range []int64{1, 2, 4, 5} {
						what := fmt.Sprintf("%s, choice %d, %d rows of %d inputs", format.name, choice, rows, batch)
						compareFirstRows(t, s, what, b, x, x, rows, limit)
					}
					transposed := drawnTensor(s, &seed, 5, batch, 8)
					transposed.RequireGrad(true)
					compareFirstRows(t, s, format.name+", transposed", b, transposed, transposed.Transpose(0, 1), 2, limit)
				}
			}
		}
		return nil
	})
}

// compareFirstRows compares the first rows of b.Apply(y), and the gradient at x, which y is
// computed from.
func compareFirstRows(t *testing.T, s *Scope, what string, b FrozenBlock, x, y Tensor, rows int64, limit float64) {
	t.Helper()
	again := b
	again.Recompute = true
	want := b.Apply(y).Narrow(1, 0, rows)
	got := b.ApplyFirst(y, rows)
	if !slices.Equal(got.Shape(), want.Shape()) || got.dtype() != Float32 {
		t.Fatalf("%s: shape %v and type %d, want shape %v", what, got.Shape(), got.dtype(), want.Shape())
	}
	near(t, what, got.Float32s(), want.Float32s(), limit)
	var bare []float32
	_ = s.NoGrad(func() error { bare = b.ApplyFirst(y, rows).Float32s(); return nil })
	if !slices.Equal(got.Float32s(), bare) || !slices.Equal(got.Float32s(), again.ApplyFirst(y, rows).Float32s()) {
		t.Errorf("%s: values are others without a graph or when they are computed again", what)
	}
	kept := gradientOf(x, got.Pow(3))
	if hardware, err := Hardware(CPU); err != nil || !strings.HasPrefix(hardware, "AVX512") {
		limit = max(limit, 2.5e-6)
	}
	near(t, what+", the gradient", kept, gradientOf(x, want.Pow(3)), limit)
	if !slices.Equal(kept, gradientOf(x, again.ApplyFirst(y, rows).Pow(3))) {
		t.Errorf("%s: the gradient is another when activations are computed again", what)
	}
}

// TestNoSuchRows checks the error for a number of rows that the input does not have.
func TestNoSuchRows(t *testing.T) {
	for _, rows := range []int64{-1, 0, 3} {
		err := open(t).Do(t.Context(), func(s *Scope) error {
			handBlock(s, Float32).ApplyFirst(s.Full(1, 1, 2, 2), rows)
			return nil
		})
		if want := fmt.Sprintf("no first %d of 2 rows", rows); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d rows: %v", rows, err)
		}
	}
}

// TestPartsNotAskedFor checks that parts that are not wanted are undefined and leave no tensors behind.
func TestPartsNotAskedFor(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		b, x := handBlock(s, Float32), s.Full(1, 1, 2, 2)
		for wanted, want := range map[Part][]string{
			0: nil, Normed: {"normed"}, Attention: {"attention"}, Attended: {"attended"}, ValueAttention: {"value attention"},
			Attended | ValueAttention: {"attended", "value attention"},
		} {
			for _, b.Recompute = range []bool{false, true} {
				x.RequireGrad(b.Recompute)
				before := LiveHandles()
				_, parts := b.ApplyParts(x, wanted)
				if got := slices.Sorted(maps.Keys(named(parts))); !slices.Equal(got, want) || LiveHandles()-before != int64(1+len(want)) {
					t.Errorf("asked for %v it gave %v, and %d tensors", want, got, LiveHandles()-before)
				}
			}
		}
		return nil
	})
}

// TestMatrixThatRounds checks that a block with a matrix that rounds its inputs to zero
// equals the block whose matrix has a zero weight.
func TestMatrixThatRounds(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		seed := 0
		x := drawnTensor(s, &seed, 1, 3, 8)
		plain := drawnBlock(s, numbers{matrix: wholeNumbers}).Apply(x).Float32s()
		for i, name := range []string{"QKV", "Out", "Expand", "Reduce"} {
			with := func(change func(m *Matrix)) []float32 {
				b := drawnBlock(s, numbers{matrix: wholeNumbers})
				change([]*Matrix{&b.QKV, &b.Out, &b.Expand, &b.Reduce}[i])
				return b.Apply(x).Float32s()
			}
			rounds := with(func(m *Matrix) { m.RoundInputs, m.InputScale = true, s.Full(1e6) })
			zero := with(func(m *Matrix) { m.Weight = s.Full(0, m.Weight.Shape()...).To(Int8) })
			if !slices.Equal(rounds, zero) || slices.Equal(rounds, plain) {
				t.Errorf("%s: %v, want %v", name, rounds, zero)
			}
		}
		return nil
	})
}

// near compares values. No difference may exceed limit times the largest expected value.
func near(t *testing.T, what string, got, want []float32, limit float64) {
	t.Helper()
	largest, worst := 0.0, 0.0
	for i := range want {
		largest = max(largest, math.Abs(float64(want[i])))
		worst = max(worst, math.Abs(float64(got[i]-want[i])))
	}
	if len(got) != len(want) || !(worst <= limit*largest) {
		t.Errorf("%s: largest difference %.3g, allowed %.3g", what, worst, limit*largest)
	}
}

// TestTrainableBlock checks that a block with a tensor that requires a gradient is rejected.
func TestTrainableBlock(t *testing.T) {
	err := open(t).Do(t.Context(), func(s *Scope) error {
		b := handBlock(s, Float32)
		b.Expand.Weight.RequireGrad(true)
		b.Apply(s.Full(1, 1, 2, 2))
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "not frozen") {
		t.Errorf("a trainable weight: %v", err)
	}
}
