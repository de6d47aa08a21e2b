package report

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/image/draw"
)

// ErrSheetFull reports more rows than a sheet of a workbook holds.
var ErrSheetFull = errors.New("there are more rows than a workbook holds; use the CSV file")

// maxSheetRows is the number of rows of a sheet, with the header.
const maxSheetRows = excelize.TotalRows

// WritePredictionsXLSX writes the rows of a CSV file of predictions as an Excel workbook:
// numbers as numbers, times as times, and texts as texts, never as formulas. thumbnail
// returns the JPEG that a row names, which then stands before the row; one that does not exist
// is left out, and so are all with nil. The workbook is in memory, 10 KB for each thumbnail.
func WritePredictionsXLSX(w io.Writer, rows io.Reader, raw bool, thumbnail func(name string) ([]byte, error)) (err error) {
	columns := names(columnsOfPredictions(PredictionCSV, raw))
	if thumbnail != nil {
		columns = slices.DeleteFunc(columns, func(name string) bool { return name == thumbnailColumn })
		columns = slices.Insert(columns, 0, thumbnailColumn)
	}
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	const sheet = "predictions"
	if err := book.SetSheetName(book.GetSheetName(0), sheet); err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	s, err := newSheet(book, sheet, columns, thumbnail)
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
	book      *excelize.File
	stream    *excelize.StreamWriter
	moment    int                               // the style of times
	thumbnail func(name string) ([]byte, error) // nil for none
}

const (
	thumbnailColumn = "thumbnail"
	thumbnailSide   = 96 // pixels in the sheet
)

// newSheet begins a sheet with a header row that stays in sight.
func newSheet(book *excelize.File, name string, columns []string, thumbnail func(string) ([]byte, error)) (*sheet, error) {
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
	const pathWidth, thumbnailWidth = 40, 14 // characters
	header := make([]any, len(columns))
	for i, column := range columns {
		header[i] = excelize.Cell{StyleID: bold, Value: column}
	}
	path := 1
	if thumbnail != nil {
		path = 2
		err = stream.SetColWidth(1, 1, thumbnailWidth)
	}
	err = errors.Join(err,
		stream.SetColWidth(path, path, pathWidth),
		stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}),
		stream.SetRow("A1", header),
	)
	return &sheet{book, stream, moment, thumbnail}, err
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
	if s.thumbnail == nil {
		return s.stream.SetRow(start, cells)
	}
	cells[0] = nil      // the picture stands in the place of its name
	const points = 0.75 // a pixel
	if err := s.stream.SetRow(start, cells, excelize.RowOpts{Height: (thumbnailSide + 4) * points}); err != nil {
		return err
	}
	if values[thumbnailColumn] == "" {
		return nil
	}
	return s.addThumbnail(start, UnescapeName(values[thumbnailColumn]))
}

// addThumbnail puts a picture into a cell.
func (s *sheet) addThumbnail(cell, name string) error {
	content, err := s.thumbnail(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if content, err = smaller(content); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return s.book.AddPictureFromBytes(s.stream.Sheet, cell, &excelize.Picture{
		Extension: ".jpg", File: content, Format: &excelize.GraphicOptions{OffsetX: 2, OffsetY: 2, Positioning: "oneCell"},
	})
}

// smaller returns a JPEG with sides of at most thumbnailSide pixels.
func smaller(content []byte) ([]byte, error) {
	picture, err := jpeg.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	size := picture.Bounds().Size()
	scale := min(1, thumbnailSide/float64(max(size.X, size.Y)))
	drawn := image.NewRGBA(image.Rect(0, 0, max(1, int(scale*float64(size.X))), max(1, int(scale*float64(size.Y)))))
	draw.ApproxBiLinear.Scale(drawn, drawn.Bounds(), picture, picture.Bounds(), draw.Src, nil)
	var b bytes.Buffer
	err = jpeg.Encode(&b, drawn, nil)
	return b.Bytes(), err
}

// cell returns the value of a cell; nil for an empty one.
func (s *sheet) cell(column, text string) any {
	if text == "" {
		return nil
	}
	switch column {
	case "path", "class", "box", "heatmap", "figure", "mask", "map", "thumbnail", "error":
		return shownName(text)
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
