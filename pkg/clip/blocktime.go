package clip

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"acdclip/cgo/torch"
)

// Use is what number formats are wanted for.
type Use struct {
	Gradients bool // gradients flow through the towers, as in training
	CUDA      bool // on a GPU, else on the CPU
}

// permits returns an error that wraps ErrOptions if the format cannot be used so.
func (f Format) permits(use Use) error {
	switch {
	case f.inferenceOnly && use.Gradients:
		return fmt.Errorf("%w: %s matrices have no gradients; train in fp32 or bf16", ErrOptions, f.Name)
	case f.cpuOnly && use.CUDA:
		return fmt.Errorf("%w: %s is for the CPU; on a GPU use bf16 or fp32", ErrOptions, f.Name)
	}
	return nil
}

// CheckFormat returns an error that wraps ErrOptions if a number format is unknown, or
// cannot be used so. auto and "" are the first format.
func CheckFormat(name string, use Use) error {
	format, err := formatOf(name, formats)
	if err != nil {
		return err
	}
	return format.permits(use)
}

// Permitted lists the number formats that can be used so.
func Permitted(use Use) []Format {
	return slices.DeleteFunc(Formats(), func(f Format) bool { return f.permits(use) != nil })
}

// BlockShape is the size of a block of the image tower.
type BlockShape struct {
	Width  int // C
	Heads  int // of attention; C is a multiple
	Tokens int // T: of one picture, with the class token
}

// BlockTime measures how long one block of the image tower takes for one picture in each of
// the formats, in seconds: the shortest of several alternating rounds. With gradients, it
// is the time of the forward and the backward pass. The weights and tokens are random. The
// measurement ends after the round in which a second has passed. It must be called inside
// Do of a Runtime on the CPU, where operations are not queued.
func BlockTime(ctx context.Context, s *torch.Scope, shape BlockShape, formats []Format, use Use) ([]float64, error) {
	const enough, mostRounds = time.Second, 20
	start := time.Now()
	blocks := make([]torch.FrozenBlock, len(formats))
	for i, format := range formats {
		blocks[i] = randomBlock(s, shape, format, !use.Gradients)
	}
	tokens := randomTensor(s, 1, 1, shape.Tokens, shape.Width)
	if use.Gradients {
		tokens.RequireGrad(true)
	}
	shortest := slices.Repeat([]float64{math.Inf(1)}, len(formats))
	for round := range 1 + mostRounds { // the first one warms up
		for i, block := range blocks {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			seconds, err := timeBlock(s, block, tokens, use.Gradients)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				shortest[i] = min(shortest[i], seconds)
			}
		}
		if round > 0 && time.Since(start) > enough {
			break
		}
	}
	return shortest, nil
}

// timeBlock applies a block once, and returns the seconds.
func timeBlock(s *torch.Scope, block torch.FrozenBlock, tokens torch.Tensor, gradients bool) (seconds float64, err error) {
	err = s.Within(func(*torch.Scope) error {
		start := time.Now()
		if gradients {
			block.Apply(tokens).Sum(0, 1, 2).Backward()
			seconds = time.Since(start).Seconds()
			tokens.ClearGrad()
			return nil
		}
		return s.Inference(func() error {
			block.Apply(tokens)
			seconds = time.Since(start).Seconds()
			return nil
		})
	})
	return seconds, err
}

// randomBlock returns a block with random weights in s.
func randomBlock(s *torch.Scope, shape BlockShape, format Format, pack bool) (b torch.FrozenBlock) {
	width := shape.Width
	matrix := func(out, in int) (m torch.Matrix) {
		_ = s.Within(func(inner *torch.Scope) error {
			m = format.matrix(randomTensor(inner, 1/math.Sqrt(float64(in)), out, in), inner.Full(0, int64(out)))
			if pack {
				m = m.Packed()
			}
			m = m.KeepIn(s)
			return nil
		})
		return m
	}
	norm := torch.Affine{Weight: s.Full(1, int64(width)), Bias: s.Full(0, int64(width))}
	_ = s.NoGrad(func() error {
		b = torch.FrozenBlock{
			Norm1: norm, QKV: matrix(3*width, width), Out: matrix(width, width),
			Norm2: norm, Expand: matrix(4*width, width), Reduce: matrix(width, 4*width),
			Heads: int64(shape.Heads), Epsilon: epsilon,
		}
		return nil
	})
	return b
}

// randomTensor returns values from -scale to scale, the same ones each time.
func randomTensor(s *torch.Scope, scale float64, shape ...int) torch.Tensor {
	count, sides := 1, make([]int64, len(shape))
	for i, side := range shape {
		count, sides[i] = count*side, int64(side)
	}
	random := rand.New(rand.NewPCG(0, 0))
	values := make([]float32, count)
	for i := range values {
		values[i] = float32(scale) * (2*random.Float32() - 1)
	}
	return s.FromFloat32(values, sides...)
}
