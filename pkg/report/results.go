package report

import (
	"fmt"
	"io"
)

// WriteJSON writes the evaluation as results.json holds it: indented, metrics
// as fractions, null where one is not defined.
func (e *Evaluation) WriteJSON(w io.Writer) error { return writeIndented(w, e) }

// resultRow is a line of results.csv: a class, or a target's mean.
type resultRow struct {
	result *Result
	kind   string // "class" or "mean": a class may be called mean
	Row
}

// WriteCSV writes the evaluation as results.csv holds it: a row a class and one
// for each mean, metrics as fractions, empty where one is not defined.
func (e *Evaluation) WriteCSV(w io.Writer) error {
	columns := []column[resultRow]{
		{"target", func(r *resultRow) any { return r.result.Target }},
		{"auxiliary", func(r *resultRow) any { return r.result.Checkpoint.Auxiliary }},
		{"checkpoint", func(r *resultRow) any { return r.result.Checkpoint.Path }},
		{"row", func(r *resultRow) any { return r.kind }},
		{"class", func(r *resultRow) any { return r.Class }},
		{"prompt", func(r *resultRow) any { return r.Prompt }},
		{"normal", func(r *resultRow) any { return r.Normal }},
		{"anomalous", func(r *resultRow) any { return r.Anomalous }},
		{"failed", func(r *resultRow) any { return r.Failed }},
	}
	for _, metric := range metrics {
		columns = append(columns, column[resultRow]{metric.name, func(r *resultRow) any {
			return optional(*metric.of(&r.Metrics))
		}})
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
	return nil
}

// Score is one picture of an evaluation.
type Score struct {
	Target, Class    string
	Checkpoint       string // its path
	Path             string
	Anomalous        bool     // its label
	Score            float32  // image score in [0, 1]
	ClassProbability *float32 // of "abnormal", in [0, 1]; nil where the method has none
	MapMax           float32  // largest value of the anomaly map, in [0, 1]
	Error            string   // why it could not be scored; its numbers are then not written
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

// WriteScoresCSV writes a row a picture, as scores.csv holds them; the label is
// 1 for an anomalous picture and 0 for a normal one. A number that is NaN or
// infinite is an error.
func WriteScoresCSV(w io.Writer, scores []Score) error {
	records, err := newCSVRecords(w, scoreColumns)
	if err != nil {
		return err
	}
	for _, score := range scores {
		if err := records.Write(score); err != nil {
			return fmt.Errorf("%s: %w", validText(score.Path), err)
		}
	}
	return nil
}
