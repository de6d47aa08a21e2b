package report

import (
	"io"
	"math"
)

// Gates is the name of the extra output of methods with a fusion gateway: its weights, [N, N, 2].
const Gates = "gates"

// GateMeans are the mean weights of the fusion gateway over the pictures of one
// class, or over all pictures of a target.
type GateMeans struct {
	Result *Result
	Class  string    // "" for all classes
	Groups int       // N
	Omega  []float64 // [N, N, 2]: vision group i, text level j, state (normal, abnormal); sums to 1 over j
}

// At returns the weight of vision group i and text level j, both from 0, for state 0 (normal) or 1 (abnormal).
func (g *GateMeans) At(i, j, state int) float64 { return g.Omega[(i*g.Groups+j)*states+state] }

const states = 2

// GateMeans computes the mean weights of each result: first for each class in order, then
// over all pictures. Results of models without a gateway are skipped.
func (e *Evaluation) GateMeans(scores []Score) []GateMeans {
	var list []GateMeans
	for i := range e.Results {
		result := &e.Results[i]
		var own []Score
		for _, score := range scores {
			if score.Target == result.Target && score.Checkpoint == result.Checkpoint.Path {
				own = append(own, score)
			}
		}
		for _, row := range result.Classes {
			var class []Score
			for _, score := range own {
				if score.Class == row.Class {
					class = append(class, score)
				}
			}
			list = appendGates(list, result, row.Class, class)
		}
		list = appendGates(list, result, "", own)
	}
	return list
}

// appendGates appends the mean over the scores that have gates, if there are any.
func appendGates(list []GateMeans, result *Result, class string, scores []Score) []GateMeans {
	var sum []float64
	count := 0
	for _, score := range scores {
		gates := score.Extras[Gates]
		if gates == nil {
			continue
		}
		if sum == nil {
			sum = make([]float64, len(gates))
		}
		for k, value := range gates {
			sum[k] += float64(value)
		}
		count++
	}
	if count == 0 {
		return list
	}
	for k := range sum {
		sum[k] /= float64(count)
	}
	groups := int(math.Sqrt(float64(len(sum)/states)) + 0.5)
	return append(list, GateMeans{result, class, groups, sum})
}

// gateRow is a line of gates.csv.
type gateRow struct {
	*GateMeans
	group, level, state int
}

var gateColumns = []column[gateRow]{
	{"target", func(r *gateRow) any { return r.Result.Target }},
	{"checkpoint", func(r *gateRow) any { return r.Result.Checkpoint.Path }},
	{"row", func(r *gateRow) any {
		if r.Class == "" {
			return "all"
		}
		return "class"
	}},
	{"class", func(r *gateRow) any { return orNil(r.Class) }},
	{"state", func(r *gateRow) any { return StateNames()[r.state] }},
	{"group", func(r *gateRow) any { return r.group + 1 }},
	{"level", func(r *gateRow) any { return r.level + 1 }},
	{"omega", func(r *gateRow) any { return r.At(r.group, r.level, r.state) }},
}

// StateNames returns the names of the two states, in order.
func StateNames() []string { return []string{"normal", "abnormal"} }

// WriteGatesCSV writes a row for each weight. Vision groups and text levels are numbered
// from 1; the weights of one group and state sum to 1 over the levels.
func WriteGatesCSV(w io.Writer, means []GateMeans) error {
	records, err := newCSVRecords(w, gateColumns)
	if err != nil {
		return err
	}
	for k := range means {
		g := &means[k]
		for state := range states {
			for i := range g.Groups {
				for j := range g.Groups {
					if err := records.Write(gateRow{g, i, j, state}); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}
