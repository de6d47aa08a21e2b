package list

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// visaColumns returns the columns of VisA's split_csv/1cls.csv.
func visaColumns() []string { return []string{"object", "split", "label", "image", "mask"} }

// columnPlaces maps a header's column names to their indices.
func columnPlaces(header []string) map[string]int {
	places := map[string]int{}
	for i, column := range header {
		places[strings.TrimSpace(column)] = i
	}
	return places
}

// missingColumns returns VisA's columns that a header lacks.
func missingColumns(header []string) []string {
	places := columnPlaces(header)
	return slices.DeleteFunc(visaColumns(), func(column string) bool { _, ok := places[column]; return ok })
}

// readVisA reads the test rows of VisA's table, whose lines end in CRLF. It records
// faults in the collector and returns only read errors and too many rows.
func readVisA(text io.Reader, c *collector) error {
	source := &boundedReader{source: text}
	source.allow()
	records := csv.NewReader(source)
	records.ReuseRecord = true
	header, err := records.Read()
	switch {
	case source.err != nil:
		return source.err
	case err != nil || len(missingColumns(header)) > 0: // leading blanks, which detect skips
		c.fault(1, "expected the header "+strings.Join(visaColumns(), ","))
		return nil
	}
	v := visaReader{c, columnPlaces(header)}
	width, line := len(header), 1
	for {
		source.allow()
		record, err := records.Read()
		var wrong *csv.ParseError
		switch {
		case err == nil:
			line, _ = records.FieldPos(0)
			if err := v.row(line, record); err != nil {
				return err
			}
		case err == io.EOF:
			if source.last != '\n' {
				c.odd(line, "no newline at the end of the file")
			}
			return nil
		case source.err != nil:
			return source.err
		case errors.Is(err, csv.ErrFieldCount):
			line, _ = records.FieldPos(0)
			c.fault(line, fmt.Sprintf("%d fields; expected %d as in the header", len(record), width))
		case errors.As(err, &wrong):
			line = wrong.Line
			c.fault(line, wrong.Err.Error())
		default: // longer than the limit of a row
			c.fault(line+1, err.Error())
			return nil
		}
	}
}

type visaReader struct {
	*collector
	at map[string]int // column name to index
}

func (v *visaReader) row(line int, record []string) error {
	switch split := record[v.at["split"]]; split {
	case "test":
	case "train":
		return nil
	default:
		v.fault(line, fmt.Sprintf("split is %s; expected train or test", shown(split)))
		return nil
	}
	row := Row{Image: record[v.at["image"]], Mask: record[v.at["mask"]], Class: record[v.at["object"]], Line: line}
	switch label := record[v.at["label"]]; label {
	case "normal":
	case "anomaly":
		row.Anomalous = true
	default:
		v.fault(line, fmt.Sprintf("label is %s; expected normal or anomaly", shown(label)))
		return nil
	}
	return v.add(row)
}
