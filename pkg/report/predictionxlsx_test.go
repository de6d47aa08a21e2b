package report

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
)

// TestPredictionsXLSX reads the workbook back: numbers are numbers, times are times, and no text is a formula.
func TestPredictionsXLSX(t *testing.T) {
	rows := writePredictions(t, PredictionCSV,
		Prediction{
			Path: "=1+1.png", Class: "größe", Score: 0.1, Anomalous: new(true), Threshold: new(float32(0.05)), MapMax: 1e-6, Width: 640, Height: 480,
			File: FileMark{1 << 33, time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)}, Regions: &Regions{0.25, []Region{{[4]int{1, 2, 3, 4}, 0.25, 0.5}}},
		},
		Prediction{Path: "b.png", Error: "-cut off"},
	)
	var out bytes.Buffer
	if err := WritePredictionsXLSX(&out, strings.NewReader(rows), false, nil); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	got, err := book.GetRows("predictions", excelize.Options{RawCellValue: true})
	if err != nil || len(got) != 3 {
		t.Fatalf("%v, %v", got, err)
	}
	for column, want := range map[string]string{
		"A1": "path", "C1": "score", "A2": "=1+1.png", "B2": "größe", "C2": "0.1", "D2": "1", "E2": "0.05", "G2": "0.000001", "J2": "1 2 3 4", "K2": "640", "M2": "8589934592",
		"A3": "b.png", "C3": "", "T3": "-cut off",
	} {
		if value, err := book.GetCellValue("predictions", column, excelize.Options{RawCellValue: true}); err != nil || !strings.EqualFold(value, want) {
			t.Errorf("%s: %q, %v, want %q", column, value, err, want)
		}
		if formula, err := book.GetCellFormula("predictions", column); err != nil || formula != "" {
			t.Errorf("%s: the formula %q, %v", column, formula, err)
		}
	}
	for cell, want := range map[string]excelize.CellType{"A2": excelize.CellTypeInlineString, "C2": excelize.CellTypeUnset, "D2": excelize.CellTypeBool} {
		if got, err := book.GetCellType("predictions", cell); err != nil || got != want {
			t.Errorf("%s: type %v, %v, want %v", cell, got, err, want)
		}
	}
	if moment, err := book.GetCellValue("predictions", "N2"); err != nil || moment != "2026-03-01 12:30:00" {
		t.Errorf("modified: %q, %v", moment, err)
	}
	if err := WritePredictionsXLSX(full{}, strings.NewReader(rows), false, nil); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
	if err := WritePredictionsXLSX(&out, strings.NewReader("x\n"), false, nil); !errors.Is(err, ErrOtherColumns) {
		t.Errorf("other rows: %v", err)
	}
}

// TestThumbnailsInWorkbook: each row has its picture before it, scaled to one size.
func TestThumbnailsInWorkbook(t *testing.T) {
	var drawn bytes.Buffer
	if err := jpeg.Encode(&drawn, image.NewGray(image.Rect(0, 0, 192, 30)), nil); err != nil {
		t.Fatal(err)
	}
	rows := writePredictions(t, PredictionCSV, Prediction{Path: "a.png", Thumbnail: "thumbnails/ü.jpg"}, Prediction{Path: "b.png", Error: "cut off"}, Prediction{Path: "c.png", Thumbnail: "thumbnails/c.jpg"})
	var asked []string
	var out bytes.Buffer
	err := WritePredictionsXLSX(&out, strings.NewReader(rows), false, func(name string) ([]byte, error) {
		asked = append(asked, name)
		return drawn.Bytes(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"thumbnails/ü.jpg", "thumbnails/c.jpg"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	book, err := excelize.OpenReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for cell, count := range map[string]int{"A2": 1, "A3": 0, "A4": 1} {
		found, err := book.GetPictures("predictions", cell)
		if err != nil || len(found) != count {
			t.Errorf("%s: %d pictures, %v", cell, len(found), err)
		}
		if count == 1 && len(found) == 1 {
			if size, err := jpeg.DecodeConfig(bytes.NewReader(found[0].File)); err != nil || size.Width != 96 || size.Height != 15 {
				t.Errorf("%s: %v, %v, want 96 x 15", cell, size, err)
			}
		}
	}
	if path, err := book.GetCellValue("predictions", "B4"); err != nil || path != "c.png" {
		t.Errorf("B4: %q, %v", path, err)
	}
	if err := WritePredictionsXLSX(&out, strings.NewReader(rows), false, func(string) ([]byte, error) { return nil, fs.ErrNotExist }); err != nil {
		t.Errorf("thumbnails that do not exist: %v", err)
	}
	gone := errors.New("gone")
	if err := WritePredictionsXLSX(&out, strings.NewReader(rows), false, func(string) ([]byte, error) { return nil, gone }); !errors.Is(err, gone) {
		t.Errorf("a missing picture: %v", err)
	}
	if err := WritePredictionsXLSX(&out, strings.NewReader(rows), false, func(string) ([]byte, error) { return []byte("text"), nil }); err == nil {
		t.Error("a thumbnail that is no JPEG is no error")
	}
}
