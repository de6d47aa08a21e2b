package report

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// Prediction is the result for one picture. If Error is set, the picture could not be
// scored and its numbers are not written.
type Prediction struct {
	Path             string   // escaped by EscapeName, as are Class, Heatmap and Mask
	Class            string   // what the prompts say the picture shows
	Score            float32  // image score in [0, 1]
	Anomalous        *bool    // Score >= Threshold; nil without a threshold
	Threshold        *float32 // nil if none was given
	ClassProbability *float32 // of "abnormal", in [0, 1]; nil if the method has none
	MapMax           float32  // largest value of the anomaly map, in [0, 1]
	RawMapMax        *float32 // of the method's own map; nil if it is MapMax
	Width, Height    int      // the picture's size in pixels; 0 if unknown
	File             FileMark // the file that was read
	Heatmap, Mask    string   // files written for the picture; "" if none was written
	Error            string   // why it could not be scored
}

// FileMark tells the versions of a file apart.
type FileMark struct {
	Bytes    int64     // its size; 0 if unknown
	Modified time.Time // the zero value if unknown
}

// MarkOf returns the mark of a file that os.Stat described.
func MarkOf(info os.FileInfo) FileMark { return FileMark{info.Size(), info.ModTime().UTC()} }

// modifiedFormat is the format of Modified in rows, in UTC; its nanoseconds tell all versions apart.
const modifiedFormat = time.RFC3339Nano

// PredictionWriter writes predictions one by one: the row is complete when Write returns.
// A NaN or infinite number is an error, and its row is not written. Close ends the output
// and leaves the underlying writer open. Paths must be escaped by EscapeName; in CSV the
// first character of a text that a spreadsheet would treat as a formula is escaped too.
type PredictionWriter interface {
	Write(Prediction) error
	Close() error
}

// PredictionFormat names a format of predictions.
type PredictionFormat string

// Both formats have the same keys and the same numbers.
const (
	PredictionCSV   PredictionFormat = "csv"   // with a header row; unknown values are empty
	PredictionJSONL PredictionFormat = "jsonl" // one object per line; unknown values are null
)

// NewPredictionWriter returns a writer that writes the given format to w. The caller owns
// w and closes it. The header row of a CSV is written immediately. raw adds the method's
// own values.
func NewPredictionWriter(w io.Writer, format PredictionFormat, raw bool) (PredictionWriter, error) {
	if format == PredictionCSV {
		return newCSVRecords(w, columnsOfPredictions(raw))
	}
	return ContinuePredictions(w, format, raw)
}

// ContinuePredictions is NewPredictionWriter for a w that has rows already: it writes no header.
func ContinuePredictions(w io.Writer, format PredictionFormat, raw bool) (PredictionWriter, error) {
	switch format {
	case PredictionCSV:
		return &csvRecords[Prediction]{csv.NewWriter(w), columnsOfPredictions(raw)}, nil
	case PredictionJSONL:
		return &jsonRecords[Prediction]{w, columnsOfPredictions(raw)}, nil
	}
	return nil, fmt.Errorf("predictions can be written as %q or %q, not %q", PredictionCSV, PredictionJSONL, format)
}

func columnsOfPredictions(raw bool) []column[Prediction] {
	if raw {
		return slices.Concat(predictionColumns, rawPredictionColumns)
	}
	return predictionColumns
}

var predictionColumns = []column[Prediction]{
	{"path", func(p *Prediction) any { return p.Path }},
	{"class", func(p *Prediction) any { return orNil(p.Class) }},
	{"score", func(p *Prediction) any { return p.scored(p.Score) }},
	{"anomalous", func(p *Prediction) any { return p.scored(optional(p.Anomalous)) }},
	{"threshold", func(p *Prediction) any { return optional(p.Threshold) }},
	{"class_probability", func(p *Prediction) any { return p.scored(optional(p.ClassProbability)) }},
	{"map_max", func(p *Prediction) any { return p.scored(p.MapMax) }},
	{"width", func(p *Prediction) any { return known(p.Width) }},
	{"height", func(p *Prediction) any { return known(p.Height) }},
	{"bytes", func(p *Prediction) any { return p.File.bytes() }},
	{"modified", func(p *Prediction) any { return orNil(p.File.modified()) }},
	{"heatmap", func(p *Prediction) any { return orNil(p.Heatmap) }},
	{"mask", func(p *Prediction) any { return orNil(p.Mask) }},
	{"error", func(p *Prediction) any { return orNil(p.Error) }},
}

// rawPredictionColumns hold the method's own values, which need not lie in [0, 1].
var rawPredictionColumns = []column[Prediction]{
	{"score_raw", func(p *Prediction) any { return p.scored(p.Score) }}, // every method's own rule for one picture gives [0, 1]
	{"map_max_raw", func(p *Prediction) any { return p.scored(*cmp.Or(p.RawMapMax, &p.MapMax)) }},
}

// scored returns value, or nil if the picture could not be scored.
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

func (m FileMark) bytes() any {
	if m.Modified.IsZero() {
		return nil
	}
	return m.Bytes
}

func (m FileMark) modified() string {
	if m.Modified.IsZero() {
		return ""
	}
	return m.Modified.UTC().Format(modifiedFormat)
}
