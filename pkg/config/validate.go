package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// Validate returns every mistake in m, joined, each an *Error; nil when there is
// none. What only the CLIP in use can tell (patch size, depth) is not checked here.
func (m Model) Validate() error { return join(m.problems()) }

// Validate is Model's, for the loss.
func (l Loss) Validate() error { return join(l.problems()) }

func (c Config) problems() []*Error {
	top := checkFields(schemaOf(reflect.TypeFor[Config](), ""), reflect.ValueOf(c))
	return slices.Concat(top, c.Model.contradictions(), c.Loss.contradictions(), c.Data.contradictions(), c.checkpointProblems())
}

func (m Model) problems() []*Error {
	return append(checkFields(schemaOf(reflect.TypeFor[Model](), "model"), reflect.ValueOf(m)), m.contradictions()...)
}

func (l Loss) problems() []*Error {
	return append(checkFields(schemaOf(reflect.TypeFor[Loss](), "loss"), reflect.ValueOf(l)), l.contradictions()...)
}

func (m Model) contradictions() []*Error {
	found := m.Adapter.contradictions()
	found = append(found, weightProblems("model.score", m.Score.Classification, m.Score.Map)...)
	return append(found, weightProblems("model.score.medical", m.Score.Medical.Classification, m.Score.Medical.Map)...)
}

func (a Adapter) contradictions() []*Error {
	var found []*Error
	if a.Merge == Rescale && a.Init == InitPaper {
		found = append(found, &Error{
			Key:     "model.adapter.merge",
			Problem: "rescale cannot start from init: paper, whose adapters give exactly zero: nothing can be rescaled to a norm (0/0); set model.adapter.init to released, or merge to residual",
			related: []string{"model.adapter.init", "preset"},
		})
	}
	if e := a.kernelProblem(); e != "" {
		found = append(found, &Error{Key: "model.adapter.kernels", Problem: e})
	}
	return found
}

func (a Adapter) kernelProblem() string {
	const most = 8
	if len(a.Kernels) == 0 || len(a.Kernels) > most {
		return fmt.Sprintf("must hold between 1 and %d kernel sizes, holds %d", most, len(a.Kernels))
	}
	for i, k := range a.Kernels {
		if k%2 == 0 {
			return fmt.Sprintf("must be odd, so that a convolution keeps the patch grid; %d is even", k)
		}
		if slices.Contains(a.Kernels[:i], k) {
			return fmt.Sprintf("holds %d twice", k)
		}
	}
	return ""
}

func weightProblems(section string, classification, anomalyMap float64) []*Error {
	const rounding = 1e-9
	problem := ""
	switch sum := classification + anomalyMap; {
	case sum > 1+rounding:
		problem = fmt.Sprintf("%v and %s.map: %v sum to %.4g; an image score within [0, 1] needs at most 1", classification, section, anomalyMap, sum)
	case classification == 0 && anomalyMap == 0:
		problem = fmt.Sprintf("is 0, and so is %s.map: every image score would be 0", section)
	default:
		return nil
	}
	return []*Error{{Key: section + ".classification", Problem: problem, related: []string{section + ".map", "preset"}}}
}

func (l Loss) contradictions() []*Error {
	if l.Focal != 0 || l.Dice != 0 || l.Classification != 0 {
		return nil
	}
	return []*Error{{
		Key:     "loss.focal",
		Problem: "is 0, and so are loss.dice and loss.classification: there is nothing to train",
		related: []string{"loss.dice", "loss.classification"},
	}}
}

func (d Data) contradictions() []*Error {
	var found []*Error
	for _, name := range slices.Sorted(maps.Keys(d.Roots)) {
		key := "data.roots." + name
		if problem := nameProblem(name); problem != "" {
			found = append(found, &Error{Key: key, Problem: problem})
		}
		root := d.Roots[name]
		if root.Path == "" {
			found = append(found, &Error{Key: key, Problem: "has no path: give the dataset's folder"})
		}
		for _, e := range checkFields(schemaOf(reflect.TypeFor[Root](), key), reflect.ValueOf(root)) {
			e.related = append(e.related, key)
			found = append(found, e)
		}
	}
	for _, target := range slices.Sorted(maps.Keys(d.Pairing)) {
		problem := nameProblem(d.Pairing[target])
		if problem == "" && target != AnyTarget {
			problem = nameProblem(target)
		}
		if problem != "" {
			found = append(found, &Error{Key: "data.pairing." + target, Problem: problem})
		}
	}
	return found
}

func (c Config) checkpointProblems() []*Error {
	var found []*Error
	for _, name := range slices.Sorted(maps.Keys(c.Checkpoints)) {
		problem := nameProblem(name)
		if slices.Contains(c.Checkpoints[name], "") {
			problem = "holds an empty path"
		}
		if problem != "" {
			found = append(found, &Error{Key: "checkpoints." + name, Problem: problem})
		}
	}
	return found
}

// nameProblem says why a dataset's name cannot be one: names stand in file names and in NAME=PATH.
func nameProblem(name string) string {
	switch {
	case name == "":
		return "a dataset's name is empty"
	case name == "." || name == ".." || name == AnyTarget || strings.ContainsAny(name, `/\=`):
		return fmt.Sprintf("%s cannot name a dataset: a name holds no /, \\ or = and is not *, . or ..", printable(name))
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Sprintf("%s cannot name a dataset: it holds a control character", printable(name))
	}
	return ""
}
