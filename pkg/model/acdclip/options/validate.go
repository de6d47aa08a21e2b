package options

import (
	"fmt"
	"slices"

	"acdclip/pkg/config/section"
)

// Contradictions lists combinations of valid options that are invalid together.
func (m *Model) Contradictions() []*section.Error {
	found := m.Adapter.contradictions()
	found = append(found, weightProblems("model.score", m.Score.Classification, m.Score.Map)...)
	return append(found, weightProblems("model.score.medical", m.Score.Medical.Classification, m.Score.Medical.Map)...)
}

func (a Adapter) contradictions() []*section.Error {
	var found []*section.Error
	if a.Merge == Rescale && a.Init == InitPaper {
		found = append(found, &section.Error{
			Key:     "model.adapter.merge",
			Problem: "rescale does not work with model.adapter.init: paper, whose adapters output exactly zero, which cannot be scaled to a norm (0/0); set model.adapter.init to released, or merge to residual",
			Related: []string{"model.adapter.init", "preset"},
		})
	}
	if e := a.kernelProblem(); e != "" {
		found = append(found, &section.Error{Key: "model.adapter.kernels", Problem: e})
	}
	return found
}

func (a Adapter) kernelProblem() string {
	const most = 8
	if len(a.Kernels) == 0 || len(a.Kernels) > most {
		return fmt.Sprintf("must list between 1 and %d kernel sizes, lists %d", most, len(a.Kernels))
	}
	for i, k := range a.Kernels {
		if k%2 == 0 {
			return fmt.Sprintf("must be odd, so that convolutions keep the size of the patch grid; %d is even", k)
		}
		if slices.Contains(a.Kernels[:i], k) {
			return fmt.Sprintf("lists %d twice", k)
		}
	}
	return ""
}

func weightProblems(key string, classification, anomalyMap float64) []*section.Error {
	const rounding = 1e-9
	problem := ""
	switch sum := classification + anomalyMap; {
	case sum > 1+rounding:
		problem = fmt.Sprintf("%v and %s.map: %v sum to %.4g; the sum may be at most 1, so that image scores stay in [0, 1]", classification, key, anomalyMap, sum)
	case classification == 0 && anomalyMap == 0:
		problem = fmt.Sprintf("is 0, and so is %s.map: every image score would be 0", key)
	default:
		return nil
	}
	return []*section.Error{{Key: key + ".classification", Problem: problem, Related: []string{key + ".map", "preset"}}}
}

// Contradictions lists combinations of valid options that are invalid together.
func (l *Loss) Contradictions() []*section.Error {
	if l.Focal != 0 || l.Dice != 0 || l.Classification != 0 {
		return nil
	}
	return []*section.Error{{
		Key:     "loss.focal",
		Problem: "is 0, and so are loss.dice and loss.classification: there is nothing to train",
		Related: []string{"loss.dice", "loss.classification"},
	}}
}
