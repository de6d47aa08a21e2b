package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"acdclip/pkg/config"
)

// series is a target scored with checkpoints that differ in nothing but their
// seeds; most often with one.
type series struct {
	results []*Result
	label   string // what tells it from the others of its target, such as "N=3"
}

// allSeries puts the results that differ in the seed alone together, in the
// order in which they come.
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

// takes says whether a result is one of the series with a seed of its own.
func (s *series) takes(r *Result) bool {
	first, c := s.first(), r.Checkpoint
	return c.Setup != "" && c.Setup == first.Checkpoint.Setup && c.Seed != nil &&
		r.Target == first.Target && r.ListHash == first.ListHash && r.Leak == first.Leak && sameClasses(r.Classes, first.Classes) &&
		!slices.ContainsFunc(s.results, func(other *Result) bool { return other.Checkpoint.Seed == nil || *other.Checkpoint.Seed == *c.Seed })
}

// sameClasses says whether rows are of the same classes in the same order.
func sameClasses(a, b []Row) bool {
	return slices.EqualFunc(a, b, func(x, y Row) bool { return x.Class == y.Class })
}

// setLabels names each series by N; where a target has several of one name, by
// more, and in the end by the checkpoint's path.
func setLabels(all []*series) {
	ablations := slices.ContainsFunc(all, func(s *series) bool { return !s.first().Checkpoint.whole() })
	short := func(c Checkpoint) string {
		text := "N=" + strconv.Itoa(c.Groups)
		if ablations { // then the whole method is named too
			text += " " + c.Adapter + "+" + c.Fusion
		}
		return text
	}
	forms := []func(c Checkpoint) string{
		short,
		func(c Checkpoint) string { return short(c) + " " + c.Preset },
		func(c Checkpoint) string { return c.Path },
	}
	for _, s := range all {
		c := s.first().Checkpoint
		for _, form := range forms {
			s.label = form(c)
			if !slices.ContainsFunc(all, func(other *series) bool {
				o := other.first().Checkpoint
				return o.Path != c.Path && form(o) == s.label && scoreOneTarget(all, o.Path, c.Path)
			}) {
				break
			}
		}
	}
}

// scoreOneTarget says whether the checkpoints at two paths score one target
// somewhere, so that their labels must differ everywhere.
func scoreOneTarget(all []*series, a, b string) bool {
	return slices.ContainsFunc(all, func(x *series) bool {
		return x.first().Checkpoint.Path == a && slices.ContainsFunc(all, func(y *series) bool {
			return y.first().Checkpoint.Path == b && x.first().Target == y.first().Target
		})
	})
}

// whole says whether both parts of the method are there; without one it is an ablation.
func (c Checkpoint) whole() bool {
	return c.Adapter == string(config.ConvLoRA) && c.Fusion == string(config.DFG)
}

// title is the label, and of how many seeds.
func (s *series) title() string {
	if len(s.results) == 1 {
		return s.label
	}
	return fmt.Sprintf("%s, %d seeds", s.label, len(s.results))
}

// severalModels says whether rows need a model to tell them apart, or to say how many seeds they are of.
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

// class gives the metrics of the class at a place, in the order of metrics.
func (s *series) class(place int) []spread {
	return s.spreads(func(r *Result) *Metrics { return &r.Classes[place].Metrics })
}

// mean gives the metrics of the mean row.
func (s *series) mean() []spread {
	return s.spreads(func(r *Result) *Metrics {
		mean := r.Mean()
		return &mean.Metrics
	})
}

func (s *series) spreads(of func(*Result) *Metrics) []spread {
	spreads := make([]spread, len(metrics))
	for i, metric := range metrics {
		for _, result := range s.results {
			if value := *metric.of(of(result)); value != nil {
				spreads[i].values = append(spreads[i].values, *value)
			}
		}
	}
	return spreads
}

// spread is one metric over seeds; nothing where it is not defined.
type spread struct{ values []float64 }

// mean is nil for no values.
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

// deviation is the sample standard deviation, nil for fewer than two values.
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

// percent is "91.20", or "91.20 ± 0.11" over seeds.
func (s spread) percent() string {
	text := percent(s.mean())
	if deviation := s.deviation(); deviation != nil {
		text += " ± " + percent(deviation)
	}
	return text
}

// seedsSummary is the mean row of one setup over its seeds.
type seedsSummary struct {
	Target    string   `json:"target"`
	Auxiliary string   `json:"auxiliary"`
	Preset    string   `json:"preset"`
	Groups    int      `json:"groups"`
	Adapter   string   `json:"adapter"`
	Fusion    string   `json:"fusion"`
	Setup     string   `json:"setup"`
	Seeds     []uint64 `json:"seeds"`
	Mean      Metrics  `json:"mean"`
	Deviation Metrics  `json:"deviation"` // sample standard deviation
}

// seedsSummaries sums up the setups with more than one seed.
func (e *Evaluation) seedsSummaries() []seedsSummary {
	var list []seedsSummary
	for _, s := range e.allSeries() {
		if len(s.results) < 2 {
			continue
		}
		c := s.first().Checkpoint
		summary := seedsSummary{
			Target: s.first().Target, Auxiliary: c.Auxiliary, Preset: c.Preset, Groups: c.Groups, Adapter: c.Adapter, Fusion: c.Fusion, Setup: c.Setup,
		}
		for _, result := range s.results {
			summary.Seeds = append(summary.Seeds, *result.Checkpoint.Seed)
		}
		for i, value := range s.mean() {
			*metrics[i].of(&summary.Mean), *metrics[i].of(&summary.Deviation) = value.mean(), value.deviation()
		}
		list = append(list, summary)
	}
	return list
}
