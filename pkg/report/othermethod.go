package report

import (
	"encoding/json"
	"fmt"
	"slices"
)

// OtherMethod is the result of another method on a target: the metrics of its anomaly maps, as
// `acdclip metrics` computed them. It stands beside the results of an Evaluation.
type OtherMethod struct {
	Target  string     `json:"target"`  // of one of the results
	Name    string     `json:"name"`    // the user's
	Source  Source     `json:"source"`  // the file of the metrics
	Classes MapClasses `json:"classes"` // those of the target, in its order
}

// MarshalJSON adds the mean row.
func (o OtherMethod) MarshalJSON() ([]byte, error) {
	type plain OtherMethod // without this method
	mean := o.Classes.Mean()
	mean.Class = ""
	return json.Marshal(struct {
		plain
		Mean MapMetrics `json:"mean"`
	}{plain(o), mean})
}

// note says where the numbers come from, and what is computed in another way than those of
// the evaluation.
func (o *OtherMethod) note() string {
	image := "its image score is the map's maximum"
	if from := o.Classes.Mean().ScoresFrom; from != "" {
		image = "its image scores are those of " + EscapeName(from)
	}
	return fmt.Sprintf("%s is another method, with the metrics in %s: those of pixels are at the size of its maps, and %s.", printable(o.Name), printable(o.Source.Path), image)
}

// otherSeries returns a series for each other method. Its label differs from those of the
// evaluation's own.
func (e *Evaluation) otherSeries(own []*series) []*series {
	var list []*series
	for _, other := range e.Beside {
		r := &Result{Target: other.Target}
		for i := range e.Results {
			if e.Results[i].Target == other.Target {
				r.Domain, r.Benchmark = e.Results[i].Domain, e.Results[i].Benchmark
			}
		}
		r.Checkpoint.Auxiliary = "-"
		for _, class := range other.Classes {
			r.Classes = append(r.Classes, Row{Class: EscapeName(class.Class), Counts: Counts{Normal: class.Normal, Anomalous: class.Anomalous}, Metrics: class.Metrics})
		}
		label := other.Name
		if slices.ContainsFunc(own, func(s *series) bool { return s.label == label }) {
			label += " of " + other.Source.Path
		}
		list = append(list, &series{results: []*Result{r}, label: label})
	}
	return list
}

// otherNotes returns the notes of the other methods.
func (e *Evaluation) otherNotes() []string {
	var notes []string
	for i := range e.Beside {
		notes = append(notes, e.Beside[i].note())
	}
	return notes
}

// byTarget returns the series in the order of their targets' first appearance; those of one
// target keep their order.
func byTarget(all []*series) []*series {
	first := map[string]int{}
	for i, s := range all {
		if _, seen := first[s.first().Target]; !seen {
			first[s.first().Target] = i
		}
	}
	return slices.SortedStableFunc(slices.Values(all), func(a, b *series) int { return first[a.first().Target] - first[b.first().Target] })
}

// otherColumns are the labels of other methods, each once.
func otherColumns(others []*series) []string {
	var labels []string
	for _, s := range others {
		if !slices.Contains(labels, s.label) {
			labels = append(labels, s.label)
		}
	}
	return labels
}
