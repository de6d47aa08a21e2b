package report

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReadPredictions: what a writer wrote is read again, also names that must be escaped.
func TestReadPredictions(t *testing.T) {
	mark := FileMark{1 << 40, time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)}
	paths := []string{"a.png", "=sum.png", "zwei\nZeilen.png", "latin1-\xe4.png", `\x41.png`, "-a;=b.png", "größe, \"x\".png"}
	for _, format := range []PredictionFormat{PredictionCSV, PredictionJSONL} {
		for _, raw := range []bool{false, true} {
			var out bytes.Buffer
			writer, err := NewPredictionWriter(&out, format, raw)
			if err != nil {
				t.Fatal(err)
			}
			for i, path := range paths {
				row := Prediction{Path: EscapeName(path), Regions: &Regions{0.5, []Region{{[4]int{1, 2, 3, 4}, 0.5, 1}}}, File: mark, Heatmap: EscapeName("heatmaps/" + path), Anomalous: new(i%2 == 0)}
				if i == 1 {
					row.Error = "cut off"
				}
				if err := writer.Write(row); err != nil {
					t.Fatal(err)
				}
			}
			whole := out.Bytes()
			header, pictures, err := ReadPredictions(bytes.NewReader(whole), format, raw)
			if err != nil || len(pictures) != len(paths) {
				t.Fatalf("%s: %d rows, %v", format, len(pictures), err)
			}
			again := bytes.Clone(header)
			for i, p := range pictures {
				if p.Path != paths[i] || !slices.Equal(p.Outputs, []string{"heatmaps/" + paths[i]}) || p.File != mark || p.Failed != (i == 1) || p.Anomalous != (i%2 == 0 && i != 1) {
					t.Errorf("%s: %q gives %+v", format, paths[i], p)
				}
				again = append(again, p.Line...)
			}
			if !bytes.Equal(again, whole) {
				t.Errorf("%s: header and lines are not the file", format)
			}
			// Wherever the file ends, the rows before that are there.
			for end := range whole {
				_, cut, err := ReadPredictions(bytes.NewReader(whole[:end]), format, raw)
				if want := bytes.Count(whole[min(len(header), end):end], []byte("\n")); err != nil || len(cut) != want {
					t.Fatalf("%s, %d bytes: %d rows, %v, want %d", format, end, len(cut), err, want)
				}
			}
			if _, _, err := ReadPredictions(bytes.NewReader(whole), format, !raw); !raw && !errors.Is(err, ErrOtherColumns) {
				t.Errorf("%s: raw columns that are missing: %v", format, err)
			}
		}
	}
}

func TestReadPredictionsRefuses(t *testing.T) {
	var head bytes.Buffer
	if _, err := NewPredictionWriter(&head, PredictionCSV, false); err != nil {
		t.Fatal(err)
	}
	row := "a.png,,0.5,,,,0.25,,,,,,5,2026-03-01T12:00:00Z,,,,,,\n"
	for name, c := range map[string]struct {
		format     PredictionFormat
		text, says string
	}{
		"another header":   {PredictionCSV, "path,score\n", "other columns than path,class"},
		"too few fields":   {PredictionCSV, head.String() + "a.png,0.5\n", "line 2: the row has 2 fields"},
		"quotes":           {PredictionCSV, head.String() + row + "\"a\nb\n", "line 3"},
		"no path":          {PredictionCSV, head.String() + strings.TrimPrefix(row, "a.png"), "no path"},
		"a bad time":       {PredictionCSV, head.String() + strings.Replace(row, "2026-03-01T", "yesterday ", 1), "modified"},
		"a bad size":       {PredictionCSV, head.String() + strings.Replace(row, ",5,", ",big,", 1), "bytes"},
		"a long row":       {PredictionCSV, head.String() + strings.Repeat("x", maxRow+1), "longer than"},
		"not JSON":         {PredictionJSONL, "a.png\n", "line 1"},
		"not JSON objects": {PredictionJSONL, "[1]\n", "line 1"},
		"other keys":       {PredictionJSONL, "{\"path\":\"a.png\"}\n", "class is missing"},
	} {
		if _, _, err := ReadPredictions(strings.NewReader(c.text), c.format, false); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// FuzzReadPredictions: no file makes the reader panic, and what it reads it reads again.
func FuzzReadPredictions(f *testing.F) {
	var head bytes.Buffer
	if _, err := NewPredictionWriter(&head, PredictionCSV, false); err != nil {
		f.Fatal(err)
	}
	f.Add(head.String()+"a.png,,0.5,,,,0.25,,,,,,5,2026-03-01T12:00:00Z,,,,,,\n", true)
	f.Add(head.String()+"\\x41\\xff,,,,,,,,,,,,,,,,,,,cut off\n\"", true)
	f.Add("{\"path\":\"a\"}\n", false)
	f.Fuzz(func(t *testing.T, text string, csv bool) {
		format := PredictionJSONL
		if csv {
			format = PredictionCSV
		}
		header, pictures, err := ReadPredictions(strings.NewReader(text), format, false)
		if err != nil {
			return
		}
		again := bytes.Clone(header)
		for _, p := range pictures {
			again = append(again, p.Line...)
		}
		if _, repeated, err := ReadPredictions(bytes.NewReader(again), format, false); err != nil || len(repeated) != len(pictures) {
			t.Errorf("%d rows, then %d, %v", len(pictures), len(repeated), err)
		}
	})
}

func TestUnescapeName(t *testing.T) {
	for _, name := range []string{"", "a", `\x`, `\x4`, `\xzz`, `\x41`, "\xff\x00", "=a;=b", `a\\x41`} {
		if got := UnescapeName(EscapeName(name)); got != name {
			t.Errorf("%q becomes %q", name, got)
		}
		if got := UnescapeName(plainField(EscapeName(name))); got != name {
			t.Errorf("in CSV, %q becomes %q", name, got)
		}
	}
}
