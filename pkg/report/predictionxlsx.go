package report

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"
)

// ErrSheetFull reports more rows than a sheet of a workbook holds.
var ErrSheetFull = errors.New("there are more rows than a workbook holds; use the CSV file")

// maxSheetRows is the number of rows of a sheet, with the header.
const maxSheetRows = excelize.TotalRows

// WritePredictionsXLSX writes the rows of a CSV file of predictions as an Excel workbook:
// numbers as numbers, times as times, and texts as texts, never as formulas.
func WritePredictionsXLSX(w io.Writer, rows io.Reader, raw bool) (err error) {
	columns := names(columnsOfPredictions(PredictionCSV, raw))
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	const sheet = "predictions"
	if err := book.SetSheetName(book.GetSheetName(0), sheet); err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	s, err := newSheet(book, sheet, columns)
	if err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	number := 1
	_, err = eachRow(rows, PredictionCSV, raw, func(_ []byte, values map[string]string) error {
		if number++; number > maxSheetRows {
			return ErrSheetFull
		}
		return s.row(number, columns, values)
	})
	if err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	if err := s.stream.Flush(); err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	if _, err := book.WriteTo(w); err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	return nil
}

// sheet is a sheet that is written row by row.
type sheet struct {
	stream *excelize.StreamWriter
	moment int // the style of times
}

// newSheet begins a sheet with a header row that stays in sight.
func newSheet(book *excelize.File, name string, columns []string) (*sheet, error) {
	bold, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	moment, err := book.NewStyle(&excelize.Style{CustomNumFmt: new("yyyy-mm-dd hh:mm:ss")})
	if err != nil {
		return nil, err
	}
	stream, err := book.NewStreamWriter(name)
	if err != nil {
		return nil, err
	}
	const pathWidth = 40 // characters
	header := make([]any, len(columns))
	for i, column := range columns {
		header[i] = excelize.Cell{StyleID: bold, Value: column}
	}
	err = errors.Join(
		stream.SetColWidth(1, 1, pathWidth),
		stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}),
		stream.SetRow("A1", header),
	)
	return &sheet{stream, moment}, err
}

// row writes a row of values, given as text by the columns' names.
func (s *sheet) row(number int, columns []string, values map[string]string) error {
	cells := make([]any, len(columns))
	for i, column := range columns {
		cells[i] = s.cell(column, values[column])
	}
	start, err := excelize.CoordinatesToCellName(1, number)
	if err != nil {
		return err
	}
	return s.stream.SetRow(start, cells)
}

// cell returns the value of a cell; nil for an empty one.
func (s *sheet) cell(column, text string) any {
	if text == "" {
		return nil
	}
	switch column {
	case "path", "class", "box", "heatmap", "mask", "map", "error":
		return EscapeName(UnescapeName(text)) // without what CSV needs against formulas
	case "anomalous":
		return text == "true"
	case "modified":
		if moment, err := time.Parse(modifiedFormat, text); err == nil {
			return excelize.Cell{StyleID: s.moment, Value: moment}
		}
		return text
	}
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		return number
	}
	return text
}
