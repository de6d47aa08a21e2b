package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"acdclip/pkg/metrics"
)

// series holds the results of one target for checkpoints that differ only in their seeds;
// usually there is one.
type series struct {
	results []*Result
	label   string // distinguishes it from other series of the target, such as "N=3"
}

// allSeries groups the results that differ only in the seed, in order of appearance.
func (e *Evaluation) allSeries() []*series {
	var all []*series
	for i := range e.Results {
		result := &e.Results[i]
		at := slices.IndexFunc(all, func(s *series) bool { return s.takes(result) })
		if at < 0 {
			all = append(all, &series{})
			at = len(all) - 1
		}
		all[at].results = append(all[at].results, result)
	}
	setLabels(all)
	return all
}

func (s *series) first() *Result { return s.results[0] }

// takes reports whether a result belongs to the series and adds a new seed.
func (s *series) takes(r *Result) bool {
	first, c := s.first(), r.Checkpoint
	return c.Setup != "" && c.Setup == first.Checkpoint.Setup && c.Model == first.Checkpoint.Model && c.Seed != nil &&
		r.Target == first.Target && r.ListHash == first.ListHash && r.Leak == first.Leak && sameClasses(r.Classes, first.Classes) &&
		!slices.ContainsFunc(s.results, func(other *Result) bool { return other.Checkpoint.Seed == nil || *other.Checkpoint.Seed == *c.Seed })
}

// sameClasses reports whether both lists have the same classes in the same order.
func sameClasses(a, b []Row) bool {
	return slices.EqualFunc(a, b, func(x, y Row) bool { return x.Class == y.Class })
}

// setLabels labels each series by its model's name, or without one by its variant. If a target has several series with that
// label, the preset is added, and as a last resort the checkpoint's path is used.
func setLabels(all []*series) {
	// If there is an ablation, the complete method gets its long label too.
	ablations := slices.ContainsFunc(all, func(s *series) bool { return s.first().Checkpoint.paper().IsAblation() })
	several := severalMethods(all)
	short := func(c Checkpoint) string {
		if several {
			return c.Method + " " + c.label(ablations)
		}
		return c.label(ablations)
	}
	forms := []func(c Checkpoint) string{
		func(c Checkpoint) string { return cmp.Or(c.Model, short(c)) },
		func(c Checkpoint) string { return cmp.Or(c.Model, short(c)+" "+c.Preset) },
		func(c Checkpoint) string { return cmp.Or(c.Model, c.Path) },
		func(c Checkpoint) string { return strings.TrimSpace(c.Model + " " + c.Path) },
	}
	for _, s := range all {
		c := s.first().Checkpoint
		for _, form := range forms {
			s.label = form(c)
			if !slices.ContainsFunc(all, func(other *series) bool {
				o := other.first().Checkpoint
				return o.id() != c.id() && form(o) == s.label && scoreOneTarget(all, o.id(), c.id())
			}) {
				break
			}
		}
	}
}

// checkpointID identifies a checkpoint among those of an evaluation.
type checkpointID struct {
	Source
	model string
}

func (c Checkpoint) id() checkpointID { return checkpointID{c.Source, c.Model} }

// scoreOneTarget reports whether two checkpoints score a common target. Their labels must
// differ then, even if the files are equal.
func scoreOneTarget(all []*series, a, b checkpointID) bool {
	return slices.ContainsFunc(all, func(x *series) bool {
		return x.first().Checkpoint.id() == a && slices.ContainsFunc(all, func(y *series) bool {
			return y.first().Checkpoint.id() == b && x.first().Target == y.first().Target
		})
	})
}

// title returns the label and the number of seeds if there are several.
func (s *series) title() string {
	if len(s.results) == 1 {
		return s.label
	}
	return fmt.Sprintf("%s, %d seeds", s.label, len(s.results))
}

// severalModels reports whether the table needs a model column: a target has several series, or a series several seeds.
func severalModels(all []*series) bool {
	seen := map[string]bool{}
	for _, s := range all {
		if seen[s.first().Target] || len(s.results) > 1 {
			return true
		}
		seen[s.first().Target] = true
	}
	return false
}

// class returns the metrics of class i, by name.
func (s *series) class(i int) map[string]spread {
	return s.spreads(func(r *Result) Metrics { return r.Classes[i].Metrics })
}

// mean returns the metrics of the mean row, by name.
func (s *series) mean() map[string]spread {
	return s.spreads(func(r *Result) Metrics { return r.Mean().Metrics })
}

func (s *series) spreads(of func(*Result) Metrics) map[string]spread {
	spreads := map[string]spread{}
	for _, metric := range metrics.Table {
		var over spread
		for _, result := range s.results {
			if value, defined := of(result)[metric.Name]; defined {
				over.values = append(over.values, value)
			}
		}
		spreads[metric.Name] = over
	}
	return spreads
}

// spread holds the values of one metric over seeds, without undefined ones.
type spread struct{ values []float64 }

// mean returns the mean, nil if there are no values.
func (s spread) mean() *float64 {
	if len(s.values) == 0 {
		return nil
	}
	sum := 0.
	for _, value := range s.values {
		sum += value
	}
	return new(sum / float64(len(s.values)))
}

// deviation returns the sample standard deviation, nil for fewer than two values.
func (s spread) deviation() *float64 {
	if len(s.values) < 2 {
		return nil
	}
	mean, sum := *s.mean(), 0.
	for _, value := range s.values {
		sum += (value - mean) * (value - mean)
	}
	return new(math.Sqrt(sum / float64(len(s.values)-1)))
}

// percent returns text such as "91.20", or "91.20 ± 0.11" for several seeds.
func (s spread) percent() string {
	text := percent(s.mean())
	if deviation := s.deviation(); deviation != nil {
		text += " ± " + percent(deviation)
	}
	return text
}

// seedsSummary is the mean row of one setup, averaged over its seeds.
type seedsSummary struct {
	Target          string
	Checkpoint      Checkpoint // only the fields that all checkpoints share
	Seeds           []uint64
	Mean, Deviation Metrics // sample standard deviation
}

// MarshalJSON writes the variant's fields at the same level as the other fields.
func (s seedsSummary) MarshalJSON() ([]byte, error) {
	return joined(struct {
		Target    string `json:"target"`
		Auxiliary string `json:"auxiliary"`
		Preset    string `json:"preset"`
	}{s.Target, s.Checkpoint.Auxiliary, s.Checkpoint.Preset}, variant(s.Checkpoint.Variant.Fields), struct {
		Setup     string   `json:"setup"`
		Seeds     []uint64 `json:"seeds"`
		Mean      Metrics  `json:"mean"`
		Deviation Metrics  `json:"deviation"`
	}{s.Checkpoint.Setup, s.Seeds, s.Mean, s.Deviation})
}

// seedsSummaries summarises the setups with more than one seed.
func (e *Evaluation) seedsSummaries() []seedsSummary {
	var list []seedsSummary
	for _, s := range e.allSeries() {
		if len(s.results) < 2 {
			continue
		}
		c := s.first().Checkpoint
		summary := seedsSummary{
			Target: s.first().Target, Checkpoint: Checkpoint{Model: c.Model, Method: c.Method, Auxiliary: c.Auxiliary, Preset: c.Preset, Variant: c.Variant, Setup: c.Setup},
			Mean: Metrics{}, Deviation: Metrics{},
		}
		for _, result := range s.results {
			summary.Seeds = append(summary.Seeds, *result.Checkpoint.Seed)
		}
		for name, over := range s.mean() {
			if mean := over.mean(); mean != nil {
				summary.Mean[name] = *mean
			}
			if deviation := over.deviation(); deviation != nil {
				summary.Deviation[name] = *deviation
			}
		}
		list = append(list, summary)
	}
	return list
}
