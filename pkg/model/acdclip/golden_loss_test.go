package acdclip

import (
	"acdclip/pkg/model/loss"
	"acdclip/pkg/model/parameter"
	"context"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/pkg/model/acdclip/options"
)

// TestGoldenLoss compares every term of the loss and its gradient, also for probabilities
// at and near 0 and 1, and the clipping of gradients.
func TestGoldenLoss(t *testing.T) {
	golden.Run(t, []string{"loss.safetensors"}, func(t *testing.T, f golden.Folder) {
		compareLoss(t, golden.Open(t, f.File("loss.safetensors")))
	})
}

// lossTerm is one golden term: of abnormal maps [B, H, W], or of both on channels [B, 2, H, W].
type lossTerm struct {
	name  string
	paper bool
	of    func(maps, masks torch.Tensor) torch.Tensor
}

var lossTerms = []lossTerm{
	{"paper.focal", true, func(a, y torch.Tensor) torch.Tensor {
		return focalLoss(options.FocalProbability, torch.Stack(1, loss.Complement(a), a), y)
	}},
	{"paper.dice", true, func(a, y torch.Tensor) torch.Tensor {
		return diceLosses(options.DiceAbnormal, torch.Stack(1, loss.Complement(a), a), y)[0].Value
	}},
	{"released.focal", false, func(p, y torch.Tensor) torch.Tensor { return focalLoss(options.FocalOneHot, p, y) }},
	{"released.dice.normal", false, func(p, y torch.Tensor) torch.Tensor { return diceLosses(options.DiceBoth, p, y)[0].Value }},
	{"released.dice.abnormal", false, func(p, y torch.Tensor) torch.Tensor { return diceLosses(options.DiceBoth, p, y)[1].Value }},
}

func compareLoss(t testing.TB, want *golden.Tensors) {
	rt, err := torch.Open(torch.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	err = rt.Do(context.Background(), func(s *torch.Scope) error {
		for _, term := range lossTerms {
			compareLossTerm(t, s, want, term)
		}
		for _, name := range want.Names("clip.") {
			if before, isBefore := strings.CutSuffix(name, ".before"); isBefore {
				want.Relative(t, before+".after", limited(s, want.Take(t, name)), 1e-5)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want.AllUsed(t)
}

func compareLossTerm(t testing.TB, s *torch.Scope, want *golden.Tensors, term lossTerm) {
	abnormal, mask := want.Take(t, "in.abnormal"), want.Take(t, "in.mask")
	maps := s.FromFloat32(abnormal.Float32(), abnormal.Shape...)
	if !term.paper {
		maps = torch.Stack(1, loss.Complement(maps), maps)
	}
	maps.RequireGrad(true)
	loss := term.of(maps, s.FromFloat32(mask.Float32(), mask.Shape[0], mask.Shape[2], mask.Shape[3]))
	want.Relative(t, term.name, loss.Float32s(), 1e-5)
	loss.Backward()
	gradient, _ := maps.Grad()
	want.Relative(t, term.name+".grad", gradient.Float32s(), 1e-4)
}

// limited returns a gradient after clipping.
func limited(s *torch.Scope, gradient golden.Values) []float32 {
	x := s.Full(0, gradient.Shape...)
	x.RequireGrad(true)
	x.Mul(s.FromFloat32(gradient.Float32(), gradient.Shape...)).Sum().Backward()
	x.ClipGradNorm(options.BlendGradientNorm)
	after, _ := x.Grad()
	return after.Float32s()
}

// TestLimitGradients checks that only the gradients of blending vectors are clipped, each separately.
func TestLimitGradients(t *testing.T) {
	err := with(t, presetRecipe(t, options.Released), func(s *torch.Scope, m *Model) error {
		loss, err := m.Loss(context.Background(), s, cliptest.Batch(s, m.imageSize()))
		if err != nil {
			return err
		}
		loss.Total.MulScalar(1e6).Backward()
		before := map[string]float64{}
		length := func(p parameter.Parameter) float64 {
			gradient, _ := p.Tensor.Grad()
			return gradient.Pow(2).Sum().Pow(0.5).Item()
		}
		for _, p := range m.parameters {
			before[p.Name] = length(p)
		}
		m.LimitGradients()
		limited := 0
		for _, p := range m.parameters {
			after := length(p)
			if !strings.HasSuffix(p.Name, ".blend") {
				if after != before[p.Name] {
					t.Errorf("the gradient of %s changed from %g to %g", p.Name, before[p.Name], after)
				}
				continue
			}
			limited++
			if before[p.Name] < 2 || after > 1 || after < 0.999 {
				t.Errorf("the gradient of %s went from %g to %g, want 1", p.Name, before[p.Name], after)
			}
		}
		if limited != 2*m.options.Groups {
			t.Errorf("%d blending vectors, want %d", limited, 2*m.options.Groups)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
