package acdclip

import (
	"math"

	"acdclip/cgo/torch"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/prompt"
)

// output is the model's output for B pictures, from which scores and losses are computed.
type output struct {
	maps   torch.Tensor // probabilities of both states [B, 2, S, S]
	logits torch.Tensor // of the classification [B, 2]
	levels []level      // one per vision level
}

// level is the comparison of one vision level with the text.
type level struct {
	gate   torch.Tensor // logits of the gate [B, N, 2]; undefined with static fusion
	omega  torch.Tensor // their softmax over the text levels (Eq. 5)
	logits torch.Tensor // similarities on the patch grid [B, 2, G, G]
}

// forward compares pictures [B, 3, S, S] with the text of their own classes [B, N, D, 2].
// Smoothing is for scoring only; training passes noSmoothing.
func (m *Model) forward(s *torch.Scope, pictures, text torch.Tensor, blur gaussian) output {
	levels, class := m.encodeImage(s, pictures, nil)
	var out output
	for i, vision := range levels {
		l := level{}
		fused := textLevel(text, i)
		if gate := m.vision[i].gate; gate != nil {
			l.gate = gate.logits(vision.segmentation)
			l.omega = l.gate.Softmax(1)
			fused = fuse(l.omega, text)
		}
		l.logits = m.similarity(vision.segmentation, fused)
		out.levels = append(out.levels, l)
	}
	out.maps = s.Eval(func() torch.Tensor { return m.maps(s, out.levels, blur) })
	if m.options.Classification.Feature == options.DetectionFeature {
		out.logits = detectionLogits(levels, text)
	} else {
		out.logits = m.classLogits(class, text)
	}
	return out
}

// similarity returns the similarities of patch tokens [B, L, D] and text [B, D, 2], divided by tau: [B, 2, G, G].
func (m *Model) similarity(tokens, text torch.Tensor) torch.Tensor {
	if m.options.Fusion.Similarity == options.Cosine {
		text = text.Normalize(1)
	}
	grid := int64(m.clip.Vision.Grid)
	logits := tokens.MatMul(text).MulScalar(1 / m.options.Fusion.Temperature)
	return logits.Transpose(1, 2).Reshape(tokens.Dim(0), states, grid, grid)
}

// maps computes the probabilities [B, 2, S, S] from the levels' similarities (Eq. 6).
func (m *Model) maps(s *torch.Scope, levels []level, blur gaussian) torch.Tensor {
	grids := make([]torch.Tensor, len(levels))
	for i, l := range levels {
		grids[i] = l.logits
	}
	size := int64(m.imageSize())
	if m.options.Fusion.Average == options.Logits {
		return blur.apply(s, torch.Stack(0, grids...).Mean(0)).Resize(torch.BilinearAligned, size, size).Softmax(1)
	}
	for i := range grids {
		grids[i] = blur.apply(s, grids[i]).Softmax(1)
	}
	return torch.Stack(0, grids...).Mean(0).Resize(torch.BilinearAligned, size, size)
}

// textLevel returns level i [B, D, 2] of the text [B, N, D, 2].
func textLevel(text torch.Tensor, i int) torch.Tensor {
	return text.Narrow(1, int64(i), 1).Reshape(text.Dim(0), text.Dim(2), states)
}

// detectionLogits returns the products of detection tokens and text of the same level, averaged over levels: [B, 2].
func detectionLogits(levels []visionLevel, text torch.Tensor) torch.Tensor {
	batch, width := text.Dim(0), text.Dim(2)
	logits := make([]torch.Tensor, len(levels))
	for i, vision := range levels {
		logits[i] = vision.detection.Reshape(batch, 1, width).MatMul(textLevel(text, i)).Reshape(batch, states)
	}
	return torch.Stack(0, logits...).Mean(0)
}

// classLogits returns the product of the unit class embedding and the last level's text, divided by tau: [B, 2].
func (m *Model) classLogits(class, text torch.Tensor) torch.Tensor {
	embedding := m.clip.Vision.Head(class).Normalize(-1)
	last := textLevel(text, m.options.Groups-1)
	return embedding.MatMul(last).Reshape(text.Dim(0), states).MulScalar(1 / m.options.Fusion.Temperature)
}

// Score scores pictures; see model.Method.
func (m *Model) Score(s *torch.Scope, pictures torch.Tensor, classOf []int, p model.Prepared) (model.Scores, error) {
	classes, text, err := prompt.For(s, p, pictures, m.imageSize(), classOf)
	if err != nil {
		return model.Scores{}, err
	}
	blur := noSmoothing
	if m.options.Fusion.Smoothing == options.Gaussian {
		blur = smoothing(classes.Domain)
	}
	out := m.forward(s, pictures, text, blur)
	batch, size := pictures.Dim(0), int64(m.imageSize())
	probability := out.logits.Softmax(1).Narrow(1, abnormal, 1).Reshape(batch)
	anomaly := out.maps.Narrow(1, abnormal, 1).Reshape(batch, size, size)
	classWeight, mapWeight := m.options.Score.Weights(classes.Domain)
	image := probability.MulScalar(classWeight).Add(anomaly.AMax(1, 2).MulScalar(mapWeight))
	return model.Scores{Maps: anomaly, Image: image, ClassProbabilities: probability, Extras: out.extras()}, nil
}

// extras returns the levels' omega, [B, N, N, 2]: the weights of vision group i, text level
// j and state s, which sum to 1 over j. With static fusion it returns nil.
func (o output) extras() []model.Extra {
	var all []torch.Tensor
	for _, l := range o.levels {
		if !l.omega.Defined() {
			return nil
		}
		all = append(all, l.omega)
	}
	return []model.Extra{{Name: options.Gates, Values: torch.Stack(1, all...)}}
}

// gaussian is a square smoothing kernel; size 0 means no smoothing.
type gaussian struct {
	size  int
	sigma float64
}

var noSmoothing = gaussian{}

// smoothing returns the released code's kernel for a domain.
func smoothing(of domain.Domain) gaussian {
	if of == domain.Medical {
		return gaussian{size: 9, sigma: 1.5}
	}
	return gaussian{size: 7, sigma: 1}
}

// apply smooths x [B, 2, G, G] with reflection at the edges, like torchvision's GaussianBlur.
func (g gaussian) apply(s *torch.Scope, x torch.Tensor) torch.Tensor {
	if g.size == 0 {
		return x
	}
	size := int64(g.size)
	kernel := s.FromFloat32(g.kernel(), 1, 1, size, size).Expand(states, 1, size, size).Contiguous()
	return x.ReflectPad(size/2).Conv2d(kernel, 1, 0, states)
}

// kernel returns the weights, row-major, which sum to 1.
func (g gaussian) kernel() []float32 {
	line, sum := make([]float64, g.size), 0.0
	for i := range line {
		x := (float64(i) - float64(g.size-1)/2) / g.sigma
		line[i] = math.Exp(-x * x / 2)
		sum += line[i]
	}
	weights := make([]float32, 0, g.size*g.size)
	for _, a := range line {
		for _, b := range line {
			weights = append(weights, float32(a/sum*b/sum))
		}
	}
	return weights
}
