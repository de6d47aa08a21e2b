package report

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PredictedPicture is what a row of predictions says about its picture.
type PredictedPicture struct {
	Path      string   // not escaped
	Outputs   []string // the files written for it, not escaped
	File      FileMark
	Failed    bool   // the row has an error
	Anomalous bool   // the row is marked as anomalous
	Line      []byte // the whole row, with the end of the line
}

// ErrOtherColumns reports a file of predictions with other columns than expected, such as
// those of another version.
var ErrOtherColumns = errors.New("the file has other columns")

// maxRow is the largest length of a row in bytes.
const maxRow = 1 << 20

// ReadPredictions reads what a PredictionWriter wrote: header is the CSV's header row, nil in
// JSON lines or where the file has no complete line. A last row without the end of its line,
// which a program leaves that is killed while it writes, is left out. Other rows that cannot be
// read are an error with their line number. Numbers of the method are not read.
func ReadPredictions(r io.Reader, format PredictionFormat, raw bool) (header []byte, pictures []PredictedPicture, err error) {
	header, err = eachRow(r, format, raw, func(line []byte, values map[string]string) error {
		picture, err := predictedPicture(values)
		picture.Line = line
		pictures = append(pictures, picture)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return header, pictures, nil
}

// eachRow visits the complete rows of a file of predictions, with their values as text by the
// columns' names, and returns the header row. An error of visit, too, gets the line number.
func eachRow(r io.Reader, format PredictionFormat, raw bool, visit func(line []byte, values map[string]string) error) (header []byte, err error) {
	lines := bufio.NewReader(r)
	columns := names(columnsOfPredictions(format, raw))
	for number := 1; ; number++ {
		line, err := nextRow(lines)
		switch {
		case errors.Is(err, io.EOF):
			return header, nil
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", number, err)
		case format == PredictionCSV && number == 1:
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
			if first, err := csvRow(line); err != nil || !slices.Equal(first, columns) {
				return nil, fmt.Errorf("%w than %s", ErrOtherColumns, strings.Join(columns, ","))
			}
			header = line
			continue
		}
		values, err := rowValues(line, format, columns)
		if err == nil {
			err = visit(line, values)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
}

// nextRow reads one line; io.EOF where no complete one is left.
func nextRow(r *bufio.Reader) ([]byte, error) {
	var row []byte
	for {
		part, err := r.ReadSlice('\n')
		row = append(row, part...)
		switch {
		case len(row) > maxRow:
			return nil, fmt.Errorf("the row is longer than %d bytes", maxRow)
		case err == nil:
			return row, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

func csvRow(line []byte) ([]string, error) { return csv.NewReader(bytes.NewReader(line)).Read() }

// rowValues returns a row's values as text, by the columns' names.
func rowValues(line []byte, format PredictionFormat, columns []string) (map[string]string, error) {
	values := map[string]string{}
	if format == PredictionCSV {
		row, err := csvRow(line)
		if err != nil {
			return nil, err
		}
		if len(row) != len(columns) {
			return nil, fmt.Errorf("the row has %d fields, want %d", len(row), len(columns))
		}
		for i, name := range columns {
			values[name] = row[i]
		}
		return values, nil
	}
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	for _, name := range columns {
		value, found := object[name]
		if !found {
			return nil, fmt.Errorf("%w: %s is missing", ErrOtherColumns, name)
		}
		if value != nil {
			values[name] = fmt.Sprint(value)
		}
	}
	return values, nil
}

func predictedPicture(values map[string]string) (PredictedPicture, error) {
	p := PredictedPicture{Path: UnescapeName(values["path"]), Failed: values["error"] != "", Anomalous: values["anomalous"] == "true"}
	for _, column := range []string{"heatmap", "figure", "mask", "map", "thumbnail"} {
		if values[column] != "" {
			p.Outputs = append(p.Outputs, UnescapeName(values[column]))
		}
	}
	if p.Path == "" {
		return p, errors.New("the row has no path")
	}
	if values["modified"] == "" {
		return p, nil
	}
	var err error
	if p.File.Modified, err = time.Parse(modifiedFormat, values["modified"]); err != nil {
		return p, fmt.Errorf("modified: %w", err)
	}
	p.File.Modified = p.File.Modified.UTC()
	if p.File.Bytes, err = strconv.ParseInt(values["bytes"], 10, 64); err != nil {
		return p, fmt.Errorf("bytes: %w", err)
	}
	return p, nil
}

// ShownPrediction is a row of predictions for people to read. Nil and "" stand for values
// that are not there.
type ShownPrediction struct {
	Path, Class, Error string // escaped by EscapeName alone
	Score, MapMax      *float32
	Regions            *int
	Area               *float64
	Box                string // "x y width height"
	Width, Height      int
	Thumbnail          string // not escaped
}

// EachPrediction visits the complete rows that a PredictionWriter wrote, one by one.
func EachPrediction(r io.Reader, format PredictionFormat, raw bool, visit func(ShownPrediction) error) error {
	_, err := eachRow(r, format, raw, func(_ []byte, values map[string]string) error {
		p := ShownPrediction{Path: shownName(values["path"]), Class: shownName(values["class"]), Error: shownName(values["error"]), Box: values["box"], Thumbnail: UnescapeName(values["thumbnail"])}
		var errs []error
		score := func(name string) *float32 { return optionalNumber(values, name, parseScore, &errs) }
		whole := func(name string) *int { return optionalNumber(values, name, strconv.Atoi, &errs) }
		p.Score, p.MapMax, p.Regions = score("score"), score("map_max"), whole("regions")
		p.Area = optionalNumber(values, "area", parseShare, &errs)
		for name, side := range map[string]*int{"width": &p.Width, "height": &p.Height} {
			if value := whole(name); value != nil {
				*side = *value
			}
		}
		if err := errors.Join(errs...); err != nil {
			return err
		}
		return visit(p)
	})
	return err
}

// shownName returns a name without what CSV needs against formulas.
func shownName(text string) string { return EscapeName(UnescapeName(text)) }

func parseShare(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

func parseScore(text string) (float32, error) {
	value, err := strconv.ParseFloat(text, 32)
	return float32(value), err
}

// optionalNumber parses a value; nil if it is not there. It adds an error to errs.
func optionalNumber[T any](values map[string]string, name string, parse func(string) (T, error), errs *[]error) *T {
	if values[name] == "" {
		return nil
	}
	value, err := parse(values[name])
	if err != nil {
		*errs = append(*errs, fmt.Errorf("%s: %w", name, err))
	}
	return &value
}
