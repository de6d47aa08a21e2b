package report

import (
	"bytes"
	"strings"
	"testing"
)

// TestByteOrderMark: a file with other letters than ASCII gets the mark once, and reads as before.
func TestByteOrderMark(t *testing.T) {
	for path, want := range map[string]bool{"a.png": false, "größe.png": true, "": false} {
		rows := writePredictions(t, PredictionCSV, Prediction{Path: path + "x"})
		if got, err := NeedsByteOrderMark(strings.NewReader(rows)); got != want || err != nil {
			t.Errorf("%q: %v, %v", path, got, err)
		}
		var marked bytes.Buffer
		if err := CopyWithByteOrderMark(&marked, strings.NewReader(rows)); err != nil {
			t.Fatal(err)
		}
		if again, err := NeedsByteOrderMark(bytes.NewReader(marked.Bytes())); again || err != nil {
			t.Errorf("%q: a second mark: %v, %v", path, again, err)
		}
		header, pictures, err := ReadPredictions(bytes.NewReader(marked.Bytes()), PredictionCSV, false)
		if err != nil || len(pictures) != 1 || pictures[0].Path != path+"x" || bytes.HasPrefix(header, []byte(byteOrderMark)) {
			t.Errorf("%q: %q, %+v, %v", path, header, pictures, err)
		}
	}
}

// TestEachPrediction reads what people are shown, from both formats.
func TestEachPrediction(t *testing.T) {
	row := Prediction{Path: "=größe.png", Class: "bolt", Score: 0.25, MapMax: 0.5, Regions: &Regions{0.25, []Region{{[4]int{1, 2, 3, 4}, 0.25, 0.5}}}, Width: 7, Height: 5, Thumbnail: EscapeName("thumbnails/\xff.jpg")}
	for _, format := range []PredictionFormat{PredictionCSV, PredictionJSONL} {
		var shown []ShownPrediction
		text := writePredictions(t, format, row, Prediction{Path: "b.png", Error: "cut off"})
		err := EachPrediction(strings.NewReader(text), format, false, func(p ShownPrediction) error {
			shown = append(shown, p)
			return nil
		})
		if err != nil || len(shown) != 2 {
			t.Fatalf("%s: %d rows, %v", format, len(shown), err)
		}
		p := shown[0]
		if p.Path != "=größe.png" || p.Class != "bolt" || *p.Score != 0.25 || *p.MapMax != 0.5 || *p.Regions != 1 || *p.Area != 0.25 || p.Box != "1 2 3 4" || p.Width != 7 || p.Height != 5 || p.Thumbnail != "thumbnails/\xff.jpg" {
			t.Errorf("%s: %+v", format, p)
		}
		if p := shown[1]; p.Score != nil || p.Regions != nil || p.Width != 0 || p.Error != "cut off" {
			t.Errorf("%s: %+v", format, p)
		}
		if err := EachPrediction(strings.NewReader(strings.Replace(text, "0.25", "many", 1)), format, false, func(ShownPrediction) error { return nil }); err == nil {
			t.Errorf("%s: a score that is no number is no error", format)
		}
	}
}
