package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestPredictionText(t *testing.T) {
	rows := []Prediction{
		{
			Path: "a/x.png", Score: 0.1, Anomalous: new(false), Threshold: new(float32(0.5)), ClassProbability: new(float32(0.25)),
			Regions: &Regions{0.25, []Region{{[4]int{4, 5, 6, 7}, 0.2, 0.75}, {[4]int{0, 0, 1, 1}, 0.05, 0.5}}}, Class: "hex nut", File: FileMark{1234, time.Date(2026, 3, 1, 12, 0, 0, 1, time.UTC)}, MapMax: 1e-6, Width: 640, Height: 480, Heatmap: "heatmaps/a/x.png.png", Figure: "figures/a/x.png.png", Thumbnail: "thumbnails/a/x.png.jpg",
		},
		{Path: "b.png", Score: 1, MapMax: 0},
		{Path: "bad, \"very\".png", Score: 0.7, Threshold: new(float32(0.5)), Width: 3, Error: "not a picture: text"},
	}
	cases := map[PredictionFormat]string{
		PredictionCSV: `path,class,score,anomalous,threshold,class_probability,map_max,regions,area,box,width,height,bytes,modified,heatmap,figure,mask,map,thumbnail,error
a/x.png,hex nut,0.1,false,0.5,0.25,1e-06,2,0.25,4 5 6 7,640,480,1234,2026-03-01T12:00:00.000000001Z,heatmaps/a/x.png.png,figures/a/x.png.png,,,thumbnails/a/x.png.jpg,
b.png,,1,,,,0,,,,,,,,,,,,,
"bad, ""very"".png",,,,0.5,,,,,,3,,,,,,,,,not a picture: text
`,
		PredictionJSONL: `{"path":"a/x.png","class":"hex nut","score":0.1,"anomalous":false,"threshold":0.5,"class_probability":0.25,"map_max":1e-06,"regions":2,"area":0.25,"box":"4 5 6 7","width":640,"height":480,"bytes":1234,"modified":"2026-03-01T12:00:00.000000001Z","heatmap":"heatmaps/a/x.png.png","figure":"figures/a/x.png.png","mask":null,"map":null,"thumbnail":"thumbnails/a/x.png.jpg","error":null,"region_list":[{"box":[4,5,6,7],"area":0.2,"max":0.75},{"box":[0,0,1,1],"area":0.05,"max":0.5}]}
{"path":"b.png","class":null,"score":1,"anomalous":null,"threshold":null,"class_probability":null,"map_max":0,"regions":null,"area":null,"box":null,"width":null,"height":null,"bytes":null,"modified":null,"heatmap":null,"figure":null,"mask":null,"map":null,"thumbnail":null,"error":null,"region_list":null}
{"path":"bad, \"very\".png","class":null,"score":null,"anomalous":null,"threshold":0.5,"class_probability":null,"map_max":null,"regions":null,"area":null,"box":null,"width":3,"height":null,"bytes":null,"modified":null,"heatmap":null,"figure":null,"mask":null,"map":null,"thumbnail":null,"error":"not a picture: text","region_list":null}
`,
	}
	for format, want := range cases {
		t.Run(string(format), func(t *testing.T) {
			if got := writePredictions(t, format, rows...); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestPredictionsReadBack reads back names and numbers that are hard to encode.
func TestPredictionsReadBack(t *testing.T) {
	paths := map[string]string{ // path: what is read
		"a,b.png":           "a,b.png",
		`say "hi".png`:      `say "hi".png`,
		"two\nlines.png":    "two\nlines.png",
		" leading blank":    " leading blank",
		"<&>.png":           "<&>.png",
		"größe/北京.png":      "größe/北京.png",
		"latin1-\xe4\xff.p": `latin1-\xe4\xff.p`,
		"\u2028.png":        "\u2028.png",
		`back\slash.png`:    `back\slash.png`,
	}
	for path, want := range paths {
		row := Prediction{Path: path, Score: 0.5, Error: ""}
		records, err := csv.NewReader(strings.NewReader(writePredictions(t, PredictionCSV, row))).ReadAll()
		if err != nil || len(records) != 2 {
			t.Fatalf("%q: %d records, %v", path, len(records), err)
		}
		if got := records[1][0]; got != want {
			t.Errorf("CSV: %q, want %q", got, want)
		}
		var object struct{ Path string }
		line := writePredictions(t, PredictionJSONL, row)
		if strings.Count(line, "\n") != 1 {
			t.Errorf("%q takes more than one line", path)
		}
		if err := json.Unmarshal([]byte(line), &object); err != nil || object.Path != want {
			t.Errorf("JSON: %q, %v, want %q", object.Path, err, want)
		}
	}

	random := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		score := math.Float32frombits(random.Uint32N(0x3f800001)) // every size of [0, 1]
		row := Prediction{Path: "x", Score: score}
		records, err := csv.NewReader(strings.NewReader(writePredictions(t, PredictionCSV, row))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := strconv.ParseFloat(records[1][2], 32); err != nil || float32(got) != score {
			t.Errorf("CSV: %v, %v, want %v", got, err, score)
		}
		var object struct{ Score float32 }
		if err := json.Unmarshal([]byte(writePredictions(t, PredictionJSONL, row)), &object); err != nil || object.Score != score {
			t.Errorf("JSON: %v, %v, want %v", object.Score, err, score)
		}
	}
}

// TestPredictionsAreStreamed checks that each row is complete when Write returns.
func TestPredictionsAreStreamed(t *testing.T) {
	for _, format := range []PredictionFormat{PredictionCSV, PredictionJSONL} {
		var out bytes.Buffer
		writer, err := NewPredictionWriter(&out, format, false)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			before := strings.Count(out.String(), "\n")
			if err := writer.Write(Prediction{Path: "x"}); err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(out.String(), "\n"); got != before+1 {
				t.Errorf("%s: %d lines, want %d", format, got, before+1)
			}
		}
	}
}

func TestNotFiniteIsNeverWritten(t *testing.T) {
	nan, infinite := float32(math.NaN()), float32(math.Inf(1))
	for _, format := range []PredictionFormat{PredictionCSV, PredictionJSONL} {
		for name, row := range map[string]Prediction{
			"score":             {Score: nan},
			"class_probability": {ClassProbability: &infinite},
			"map_max":           {MapMax: infinite},
			"threshold":         {Threshold: new(float32(math.NaN()))},
		} {
			var out bytes.Buffer
			writer, err := NewPredictionWriter(&out, format, false)
			if err != nil {
				t.Fatal(err)
			}
			before := out.Len()
			if err := writer.Write(row); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v, want an error that names %s", format, err, name)
			}
			if out.Len() != before {
				t.Errorf("%s: part of a row was written: %q", format, out.String()[before:])
			}
		}
	}
}

func TestPredictionWriterErrors(t *testing.T) {
	if _, err := NewPredictionWriter(&bytes.Buffer{}, "xml", false); err == nil || !strings.Contains(err.Error(), "xml") {
		t.Errorf("an unknown format: %v", err)
	}
	if _, err := NewPredictionWriter(full{}, PredictionCSV, false); !errors.Is(err, errFull) {
		t.Errorf("CSV on a full disk: %v", err)
	}
	writer, err := NewPredictionWriter(full{}, PredictionJSONL, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Write(Prediction{}); !errors.Is(err, errFull) {
		t.Errorf("JSON lines on a full disk: %v", err)
	}
}

// TestRawPrediction: a method without values of its own has the same values in the raw columns.
func TestRawPrediction(t *testing.T) {
	var out bytes.Buffer
	writer, err := NewPredictionWriter(&out, PredictionCSV, true)
	for _, row := range []Prediction{{Path: "a.png", Score: 0.5, MapMax: 0.25, RawMapMax: new(float32(-3))}, {Path: "b.png", Score: 0.5, MapMax: 0.25}, {Path: "c.png", Error: "cut off"}} {
		err = errors.Join(err, writer.Write(row))
	}
	want := `path,class,score,anomalous,threshold,class_probability,map_max,regions,area,box,width,height,bytes,modified,heatmap,figure,mask,map,thumbnail,error,score_raw,map_max_raw
a.png,,0.5,,,,0.25,,,,,,,,,,,,,,0.5,-3
b.png,,0.5,,,,0.25,,,,,,,,,,,,,,0.5,0.25
c.png,,,,,,,,,,,,,,,,,,,cut off,,
`
	if err != nil || out.String() != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, out.String(), want)
	}
}

func writePredictions(t *testing.T, format PredictionFormat, rows ...Prediction) string {
	t.Helper()
	var out bytes.Buffer
	writer, err := NewPredictionWriter(&out, format, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := writer.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var errFull = errors.New("no space left")

// full is a writer that fails like a full disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
