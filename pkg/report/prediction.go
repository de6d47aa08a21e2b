package report

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// Prediction is the result for one picture. If Error is set, the picture could not be
// scored and its numbers are not written.
type Prediction struct {
	Path             string   // escaped by EscapeName, as are the other names
	Class            string   // what the prompts say the picture shows
	Score            float32  // image score in [0, 1]
	Anomalous        *bool    // Score >= Threshold; nil without a threshold
	Threshold        *float32 // nil if none was given
	ClassProbability *float32 // of "abnormal", in [0, 1]; nil if the method has none
	MapMax           float32  // largest value of the anomaly map, in [0, 1]
	RawMapMax        *float32 // of the method's own map; nil if it is MapMax
	Regions          *Regions // where the map reaches the pixels' threshold; nil without one
	Width, Height    int      // the picture's size in pixels; 0 if unknown
	File             FileMark // the file that was read
	Heatmap, Figure  string   // files written for the picture; "" if none was written
	Mask, Map        string   // likewise
	Thumbnail        string   // likewise
	Error            string   // why it could not be scored
}

// Regions are the connected parts of a picture where its map reaches a threshold.
type Regions struct {
	Area float64  // share of the picture, in [0, 1]
	List []Region // that with the largest value first
}

// MaxListedRegions is the number of regions of a picture that JSON lines list, those with
// the largest values. A map that is all noise would make a line of many megabytes.
const MaxListedRegions = 1000

// Region is one of them.
type Region struct {
	Box  [4]int  `json:"box"`  // x, y, width and height in the picture's own pixels
	Area float64 `json:"area"` // share of the picture, in [0, 1]
	Max  float32 `json:"max"`  // the map's largest value in it
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

// CSV and JSON lines have the same keys and the same numbers; JSON lines also list all regions.
const (
	PredictionCSV   PredictionFormat = "csv"   // with a header row; unknown values are empty
	PredictionJSONL PredictionFormat = "jsonl" // one object per line; unknown values are null
	PredictionXLSX  PredictionFormat = "xlsx"  // an Excel workbook, made of a finished CSV file
)

// Rows returns the format in which rows are written one by one.
func (f PredictionFormat) Rows() PredictionFormat {
	if f == PredictionXLSX {
		return PredictionCSV
	}
	return f
}

// NewPredictionWriter returns a writer that writes the given format to w. The caller owns
// w and closes it. The header row of a CSV is written immediately. raw adds the method's
// own values.
func NewPredictionWriter(w io.Writer, format PredictionFormat, raw bool) (PredictionWriter, error) {
	if format == PredictionCSV {
		return newCSVRecords(w, columnsOfPredictions(format, raw))
	}
	return ContinuePredictions(w, format, raw)
}

// ContinuePredictions is NewPredictionWriter for a w that has rows already: it writes no header.
func ContinuePredictions(w io.Writer, format PredictionFormat, raw bool) (PredictionWriter, error) {
	columns := columnsOfPredictions(format, raw)
	switch format {
	case PredictionCSV:
		return &csvRecords[Prediction]{csv.NewWriter(w), columns}, nil
	case PredictionJSONL:
		return &jsonRecords[Prediction]{w, columns}, nil
	}
	return nil, fmt.Errorf("predictions can be written as %q or %q, not %q", PredictionCSV, PredictionJSONL, format)
}

// PredictionRows are rows for another program, with what holds for all of them: what the service
// answers, and predict posts.
type PredictionRows struct {
	Conditions string            `json:"conditions"` // the digest of what the scores depend on
	Thresholds Thresholds        `json:"thresholds"`
	Rows       []json.RawMessage `json:"rows"` // see PredictionJSON
}

// PredictionJSON is a row as JSON lines have it, with the end of the line.
func PredictionJSON(p Prediction, raw bool) (json.RawMessage, error) {
	var b bytes.Buffer
	writer, err := NewPredictionWriter(&b, PredictionJSONL, raw)
	if err != nil {
		return nil, err
	}
	if err := writer.Write(p); err != nil {
		return nil, err
	}
	return b.Bytes(), writer.Close()
}

func columnsOfPredictions(format PredictionFormat, raw bool) []column[Prediction] {
	columns := slices.Clone(predictionColumns)
	if raw {
		columns = append(columns, rawPredictionColumns...)
	}
	if format == PredictionJSONL {
		columns = append(columns, column[Prediction]{"region_list", func(p *Prediction) any { return p.Regions.list() }})
	}
	return columns
}

var predictionColumns = []column[Prediction]{
	{"path", func(p *Prediction) any { return p.Path }},
	{"class", func(p *Prediction) any { return orNil(p.Class) }},
	{"score", func(p *Prediction) any { return p.scored(p.Score) }},
	{"anomalous", func(p *Prediction) any { return p.scored(optional(p.Anomalous)) }},
	{"threshold", func(p *Prediction) any { return optional(p.Threshold) }},
	{"class_probability", func(p *Prediction) any { return p.scored(optional(p.ClassProbability)) }},
	{"map_max", func(p *Prediction) any { return p.scored(p.MapMax) }},
	{"regions", func(p *Prediction) any { return p.Regions.count() }},
	{"area", func(p *Prediction) any { return p.Regions.area() }},
	{"box", func(p *Prediction) any { return p.Regions.strongest() }},
	{"width", func(p *Prediction) any { return known(p.Width) }},
	{"height", func(p *Prediction) any { return known(p.Height) }},
	{"bytes", func(p *Prediction) any { return p.File.bytes() }},
	{"modified", func(p *Prediction) any { return orNil(p.File.modified()) }},
	{"heatmap", func(p *Prediction) any { return orNil(p.Heatmap) }},
	{"figure", func(p *Prediction) any { return orNil(p.Figure) }},
	{"mask", func(p *Prediction) any { return orNil(p.Mask) }},
	{"map", func(p *Prediction) any { return orNil(p.Map) }},
	{"thumbnail", func(p *Prediction) any { return orNil(p.Thumbnail) }},
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

func (r *Regions) count() any {
	if r == nil {
		return nil
	}
	return len(r.List)
}

func (r *Regions) area() any {
	if r == nil {
		return nil
	}
	return r.Area
}

// strongest returns the box of the region with the largest value, as "x y width height".
func (r *Regions) strongest() any {
	if r == nil || len(r.List) == 0 {
		return nil
	}
	box := r.List[0].Box
	return fmt.Sprintf("%d %d %d %d", box[0], box[1], box[2], box[3])
}

func (r *Regions) list() any {
	if r == nil {
		return nil
	}
	text, err := json.Marshal(append([]Region{}, r.List[:min(len(r.List), MaxListedRegions)]...)) // [] rather than null
	if err != nil {
		return nil // a value that is not finite, which the other columns refuse
	}
	return json.RawMessage(text)
}
