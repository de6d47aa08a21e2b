package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"

	"acdclip/pkg/metrics"
	"acdclip/pkg/sealed"
)

// WriteJSON writes the evaluation in the format of results.json: indented, metrics as
// fractions, null if undefined, with a checksum of the content.
func (e *Evaluation) WriteJSON(w io.Writer) error {
	text, err := sealed.MarshalIndent(e)
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

// resultRow is one row of results.csv.
type resultRow struct {
	result *Result
	kind   string // "class", "mean", "seeds_mean" or "seeds_std"; needed because a class may have the name "mean"
	Row
}

// isComparison reports whether models with names are compared.
func (e *Evaluation) isComparison() bool {
	return slices.ContainsFunc(e.Results, func(r Result) bool { return r.Checkpoint.Model != "" })
}

// count returns a number of pictures, or nil for a row over seeds.
func (r *resultRow) count(pictures int) any {
	if r.kind == "seeds_mean" || r.kind == "seeds_std" {
		return nil
	}
	return pictures
}

// WriteCSV writes the evaluation in the format of results.csv: a row for each class and
// each mean, then two rows (mean and standard deviation of the mean row) for each setup
// with several seeds. Metrics are fractions, empty if undefined.
func (e *Evaluation) WriteCSV(w io.Writer) error {
	columns := []column[resultRow]{
		{"target", func(r *resultRow) any { return r.result.Target }},
		{"auxiliary", func(r *resultRow) any { return r.result.Checkpoint.Auxiliary }},
		{"checkpoint", func(r *resultRow) any { return r.result.Checkpoint.Path }},
	}
	if e.isComparison() {
		columns = append(columns,
			column[resultRow]{"model", func(r *resultRow) any { return r.result.Checkpoint.Model }},
			column[resultRow]{"method", func(r *resultRow) any { return r.result.Checkpoint.Method }},
		)
	}
	for _, name := range e.variantColumns() {
		columns = append(columns, column[resultRow]{name, func(r *resultRow) any { return r.result.Checkpoint.field(name) }})
	}
	columns = append(columns, []column[resultRow]{
		{"seed", func(r *resultRow) any { return r.result.Checkpoint.seed() }},
		{"row", func(r *resultRow) any { return r.kind }},
		{"class", func(r *resultRow) any { return r.Class }},
		{"prompt", func(r *resultRow) any { return r.Prompt }},
		{"normal", func(r *resultRow) any { return r.count(r.Normal) }},
		{"anomalous", func(r *resultRow) any { return r.count(r.Anomalous) }},
		{"failed", func(r *resultRow) any { return r.count(r.Failed) }},
	}...)
	for _, metric := range metrics.Table {
		columns = append(columns, column[resultRow]{metric.Name, func(r *resultRow) any { return optional(r.Metrics.Get(metric.Name)) }})
	}
	records, err := newCSVRecords(w, columns)
	if err != nil {
		return err
	}
	for i := range e.Results {
		result := &e.Results[i]
		for _, row := range result.Classes {
			if err := records.Write(resultRow{result, "class", row}); err != nil {
				return err
			}
		}
		mean := result.Mean()
		if err := records.Write(resultRow{result, "mean", Row{Counts: mean.Counts, Metrics: mean.Metrics}}); err != nil {
			return err
		}
	}
	for _, s := range e.seedsSummaries() {
		result := &Result{Target: s.Target, Checkpoint: Checkpoint{Model: s.Checkpoint.Model, Method: s.Checkpoint.Method, Auxiliary: s.Checkpoint.Auxiliary, Variant: s.Checkpoint.Variant}}
		for _, row := range []resultRow{{result, "seeds_mean", Row{Metrics: s.Mean}}, {result, "seeds_std", Row{Metrics: s.Deviation}}} {
			if err := records.Write(row); err != nil {
				return err
			}
		}
	}
	return nil
}

// seed returns the seed as decimal text, which keeps all 64 bits, or nil if it is unknown.
func (c Checkpoint) seed() any {
	if c.Seed == nil {
		return nil
	}
	return strconv.FormatUint(*c.Seed, 10)
}

// Score is the result for one picture of an evaluation.
type Score struct {
	Target           string   `json:"-"`
	Class            string   `json:"-"`
	Checkpoint       string   `json:"-"` // its path
	Model            string   `json:"-"` // the checkpoint's Model
	Path             string   `json:"path"`
	Place            int      `json:"place"`                       // index among the target's pictures, from 0
	Anomalous        bool     `json:"anomalous"`                   // its label
	Score            float32  `json:"score"`                       // image score in [0, 1]
	ClassProbability *float32 `json:"class_probability,omitempty"` // of "abnormal", in [0, 1]; nil if the method has none
	MapMax           float32  `json:"map_max"`                     // largest value of the anomaly map, in [0, 1]
	RawScore         *float32 `json:"score_raw,omitempty"`         // by the method's own rule; nil if it is Score
	RawMapMax        *float32 `json:"map_max_raw,omitempty"`       // of the method's own map; nil if it is MapMax
	Error            string   `json:"error,omitempty"`             // why it could not be scored; if set, the numbers are not written

	Extras map[string][]float32 `json:"extras,omitempty"` // requested extra outputs of the method, by name
}

var scoreColumns = []column[Score]{
	{"target", func(s *Score) any { return s.Target }},
	{"checkpoint", func(s *Score) any { return s.Checkpoint }},
	{"class", func(s *Score) any { return s.Class }},
	{"path", func(s *Score) any { return s.Path }},
	{"label", func(s *Score) any {
		if s.Anomalous {
			return 1
		}
		return 0
	}},
	{"score", func(s *Score) any { return s.scored(s.Score) }},
	{"class_probability", func(s *Score) any { return s.scored(optional(s.ClassProbability)) }},
	{"map_max", func(s *Score) any { return s.scored(s.MapMax) }},
	{"error", func(s *Score) any { return orNil(s.Error) }},
}

func (s *Score) scored(value any) any {
	if s.Error != "" {
		return nil
	}
	return value
}

// rawScoreColumns hold the method's own values, which need not lie in [0, 1].
var rawScoreColumns = []column[Score]{
	{"score_raw", func(s *Score) any { return s.scored(*cmp.Or(s.RawScore, &s.Score)) }},
	{"map_max_raw", func(s *Score) any { return s.scored(*cmp.Or(s.RawMapMax, &s.MapMax)) }},
}

// WriteScoresCSV writes a row for each picture in the format of scores.csv. The label is 1
// for an anomalous picture and 0 for a normal one. raw adds the method's own values. A NaN
// or infinite number is an error.
func WriteScoresCSV(w io.Writer, scores []Score, raw bool) error {
	columns := slices.Clone(scoreColumns)
	if slices.ContainsFunc(scores, func(s Score) bool { return s.Model != "" }) {
		columns = slices.Insert(columns, 2, column[Score]{"model", func(s *Score) any { return s.Model }})
	}
	if raw {
		columns = append(columns, rawScoreColumns...)
	}
	records, err := newCSVRecords(w, columns)
	if err != nil {
		return err
	}
	for _, score := range scores {
		if err := records.Write(score); err != nil {
			return fmt.Errorf("%s: %w", score.Path, err)
		}
	}
	return nil
}
