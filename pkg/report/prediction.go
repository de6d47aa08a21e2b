package report

import (
	"fmt"
	"io"
)

// Prediction is what is found for one picture. Where Error is set, the picture
// could not be scored and its numbers are not written.
type Prediction struct {
	Path             string   // escaped, as Heatmap and Mask are
	Score            float32  // image score in [0, 1]
	Anomalous        *bool    // Score >= Threshold; nil where no threshold is given
	Threshold        *float32 // nil where none is given
	ClassProbability *float32 // of "abnormal", in [0, 1]; nil where the method has none
	MapMax           float32  // largest value of the anomaly map, in [0, 1]
	Width, Height    int      // the picture's own size in pixels; 0 where it is not known
	Heatmap, Mask    string   // files written for it; "" where none was
	Error            string   // why it could not be scored
}

// PredictionWriter writes predictions one by one: a row is complete when Write
// returns. A number that is NaN or infinite is an error, and nothing is written
// of its row. Close ends the output and leaves the underlying writer open.
// Paths are names that EscapeName has escaped; in CSV the first character of a text
// that a spreadsheet would take for a formula is escaped, too.
type PredictionWriter interface {
	Write(Prediction) error
	Close() error
}

// PredictionFormat names a format of predictions.
type PredictionFormat string

// Both formats have the same keys and the same numbers.
const (
	PredictionCSV   PredictionFormat = "csv"   // with a heading; what is unknown is empty
	PredictionJSONL PredictionFormat = "jsonl" // an object a line; what is unknown is null
)

// NewPredictionWriter returns a writer of the given format to w, which the
// caller keeps and closes. A CSV's heading is written at once.
func NewPredictionWriter(w io.Writer, format PredictionFormat) (PredictionWriter, error) {
	switch format {
	case PredictionCSV:
		return newCSVRecords(w, predictionColumns)
	case PredictionJSONL:
		return &jsonRecords[Prediction]{w, predictionColumns}, nil
	}
	return nil, fmt.Errorf("predictions are written as %q or %q, not as %q", PredictionCSV, PredictionJSONL, format)
}

var predictionColumns = []column[Prediction]{
	{"path", func(p *Prediction) any { return p.Path }},
	{"score", func(p *Prediction) any { return p.scored(p.Score) }},
	{"anomalous", func(p *Prediction) any { return p.scored(optional(p.Anomalous)) }},
	{"threshold", func(p *Prediction) any { return optional(p.Threshold) }},
	{"class_probability", func(p *Prediction) any { return p.scored(optional(p.ClassProbability)) }},
	{"map_max", func(p *Prediction) any { return p.scored(p.MapMax) }},
	{"width", func(p *Prediction) any { return known(p.Width) }},
	{"height", func(p *Prediction) any { return known(p.Height) }},
	{"heatmap", func(p *Prediction) any { return orNil(p.Heatmap) }},
	{"mask", func(p *Prediction) any { return orNil(p.Mask) }},
	{"error", func(p *Prediction) any { return orNil(p.Error) }},
}

// scored returns value, or nil where the picture failed.
func (p *Prediction) scored(value any) any {
	if p.Error != "" {
		return nil
	}
	return value
}

func known(pixels int) any {
	if pixels == 0 {
		return nil
	}
	return pixels
}
