package torch

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// handBlock is a block of width 2 whose matrices are all zero, so that it gives
// back what it is given.
func handBlock(s *Scope, format DType) FrozenBlock {
	zero := func(out, in int64) Affine { return Affine{s.Full(0, out, in).To(format), s.Full(0, out).To(format)} }
	norm := func() Affine { return Affine{row(s, 1, 1), row(s, 0, 0)} }
	return FrozenBlock{Norm1: norm(), QKV: zero(6, 2), Out: zero(2, 2), Norm2: norm(), Expand: zero(2, 2), Reduce: zero(2, 2), Heads: 1}
}

// TestFrozenBlockByHand: blocks of which only one part does something.
func TestFrozenBlockByHand(t *testing.T) {
	logistic := func(x float64) float32 { return float32(x / (1 + math.Exp(-1.702*x))) }
	erf := func(x float64) float32 { return float32(x / 2 * (1 + math.Erf(x/math.Sqrt2))) }
	identity := func(s *Scope) Tensor { return table(s, 1, 0, 0, 1) }
	// The norms make 1 and -1 of each position; the first value of v becomes 2, then 4.
	attention := func(s *Scope, b *FrozenBlock) {
		b.QKV = Affine{s.FromFloat32([]float32{0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0}, 6, 2), row(s, 0, 0, 0, 0, 3, 0)}
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
		// The MLP is given 1.001, which becomes 1, and 256. A sum of 256 + 1 + 1 in bfloat16 loses both ones: 257 is none of its numbers.
		{"sums in bfloat16", BFloat16, func(s *Scope, b *FrozenBlock) {
			b.Norm2 = Affine{s.Full(0, 3), row(s, 1.001, 256, 1)}
			b.Expand = Affine{s.Full(1, 1, 3).To(BFloat16), row(s, 0).To(BFloat16)}
			b.Reduce = Affine{s.Full(1, 3, 1).To(BFloat16), row(s, 0, 0, 0).To(BFloat16)}
			b.Norm1, b.Out = Affine{s.Full(1, 3), s.Full(0, 3)}, Affine{s.Full(0, 3, 3).To(BFloat16), s.Full(0, 3).To(BFloat16)}
			b.QKV = Affine{s.Full(0, 9, 3).To(BFloat16), s.Full(0, 9).To(BFloat16)}
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

// drawnBlock is a block of drawn values, width 8, in a number format.
func drawnBlock(s *Scope, format DType) FrozenBlock {
	const width = 8
	seed := 1000
	drawn := func(shape ...int64) Tensor { return drawnTensor(s, &seed, shape...) }
	matrix := func(out, in int64) Affine { return Affine{drawn(out, in).To(format), drawn(out).To(format)} }
	norm := func() Affine { return Affine{drawn(width), drawn(width)} }
	return FrozenBlock{
		Norm1: norm(), QKV: matrix(3*width, width), Out: matrix(width, width),
		Norm2: norm(), Expand: matrix(4*width, width), Reduce: matrix(width, 4*width),
		Heads: 2, Epsilon: 1e-5,
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

// written is the block written out in other operations. Those of bfloat16 round as the block does.
func written(s *Scope, b FrozenBlock, x Tensor) Tensor {
	linear := func(x Tensor, by Affine) Tensor { return x.To(by.Weight.DType()).Linear(by.Weight, by.Bias) }
	batch, length, width := x.Dim(0), x.Dim(1), x.Dim(2)
	qkv := linear(x.LayerNorm(b.Norm1.Weight, b.Norm1.Bias, b.Epsilon), b.QKV)
	part := func(i int64) Tensor {
		return qkv.Narrow(2, i*width, width).Reshape(batch, length, b.Heads, width/b.Heads).Transpose(1, 2)
	}
	similarities := part(0).MatMul(part(1).Transpose(2, 3)).MulScalar(1 / math.Sqrt(float64(width/b.Heads)))
	if b.Causal {
		hidden := make([]float32, length*length)
		for i := range hidden {
			if int64(i)%length > int64(i)/length {
				hidden[i] = float32(math.Inf(-1))
			}
		}
		similarities = similarities.Add(s.FromFloat32(hidden, length, length).To(b.QKV.Weight.DType()))
	}
	x = x.Add(linear(similarities.Softmax(3).MatMul(part(2)).Transpose(1, 2).Reshape(batch, length, width), b.Out))
	hidden := linear(x.LayerNorm(b.Norm2.Weight, b.Norm2.Bias, b.Epsilon), b.Expand)
	if b.QuickGELU {
		// The sigmoid of a is the first of the softmax of a and 0.
		a := hidden.MulScalar(1.702)
		sigmoid := Stack(0, a, a.MulScalar(0)).Softmax(0).Narrow(0, 0, 1).Reshape(hidden.Shape()...)
		hidden = hidden.Mul(sigmoid)
	} else {
		hidden = hidden.GELU()
	}
	return x.Add(linear(hidden, b.Reduce))
}

// TestFrozenBlock: values and gradient are those of a block written out, in either
// format, however its input lies in memory. With and without a graph, and whether
// its activations are kept or computed again, they are the same to the bit.
func TestFrozenBlock(t *testing.T) {
	do(t, open(t), func(s *Scope) error {
		seed := 0
		x := drawnTensor(s, &seed, 5, 2, 8)
		x.RequireGrad(true)
		gradient := func(y Tensor) []float32 {
			x.ClearGrad()
			y.Pow(3).Sum().Backward()
			grad, _ := x.Grad()
			return grad.Float32s()
		}
		for format, limit := range map[DType]float64{Float32: 1e-5, BFloat16: 1.0 / 32} {
			for name, shape := range map[string]func(Tensor) Tensor{
				"as it is":   func(x Tensor) Tensor { return x },
				"transposed": func(x Tensor) Tensor { return x.Transpose(0, 1) },
			} {
				for choice := range 4 {
					b := drawnBlock(s, format)
					b.Causal, b.QuickGELU = choice&1 == 1, choice&2 == 2
					kept := b.Apply(shape(x))
					want := written(s, b, shape(x))
					keptGradient := gradient(kept)
					near(t, "the values", kept.Float32s(), want.Float32s(), limit)
					near(t, "the gradient", keptGradient, gradient(want), limit)
					b.Recompute = true
					again := b.Apply(shape(x))
					var bare Tensor
					if err := s.NoGrad(func() error { bare = b.Apply(shape(x)); return nil }); err != nil {
						return err
					}
					if !slices.Equal(again.Float32s(), kept.Float32s()) || !slices.Equal(bare.Float32s(), kept.Float32s()) || !slices.Equal(gradient(again), keptGradient) {
						t.Errorf("type %d, %s, choice %d: values or gradient are others when activations are computed again", format, name, choice)
					}
					if kept.DType() != Float32 {
						t.Errorf("type %d: the result has type %d", format, kept.DType())
					}
				}
			}
		}
		return nil
	})
}

// near compares values: no difference may exceed limit times the largest wanted value.
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

// TestTrainableBlock: a tensor that wants a gradient itself is refused.
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
