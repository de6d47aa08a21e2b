package list

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// tableColumns are those of VisA's split_csv/1cls.csv.
var tableColumns = []string{"object", "split", "label", "image", "mask"}

func isTableHead(line string) bool {
	columns := strings.Split(strings.TrimSpace(line), ",")
	return !slices.ContainsFunc(tableColumns, func(column string) bool { return !slices.Contains(columns, column) })
}

// table reads the test rows of VisA's table, whose lines end as Windows ends them.
func (r *reader) table(file io.Reader) error {
	records := csv.NewReader(r.withoutBOM(file))
	records.ReuseRecord = true
	head, err := records.Read()
	if err != nil {
		return err
	}
	place := map[string]int{}
	for i, column := range head {
		place[strings.TrimSpace(column)] = i
	}
	for {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := records.FieldPos(0)
		if err := r.cancelled(line); err != nil {
			return err
		}
		field := func(column string) string { return strings.Clone(record[place[column]]) }
		switch split := field("split"); split {
		case "test":
		case "train":
			continue
		default:
			r.fail(line, "split %.40q is neither train nor test", split)
			continue
		}
		row := Row{Image: field("image"), Mask: field("mask"), Class: field("object"), Line: line}
		switch name := field("label"); name {
		case "normal":
		case "anomaly":
			row.Anomalous = true
		default:
			r.fail(line, "label %.40q is neither normal nor anomaly", name)
			continue
		}
		if err := r.add(row); err != nil {
			return fmt.Errorf("reading the table: %w", err)
		}
	}
}
