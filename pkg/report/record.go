package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
)

// column is one column of a CSV file and the key with the same values in JSON lines. value
// returns a string, bool, int, int64, float32, float64 or (only in JSON) json.RawMessage, or nil for an empty field and null.
type column[T any] struct {
	name  string
	value func(*T) any
}

// field is a named value of a record.
type field struct {
	name  string
	value any
}

func fieldsOf[T any](columns []column[T], record *T) []field {
	fields := make([]field, len(columns))
	for i, column := range columns {
		fields[i] = field{column.name, column.value(record)}
	}
	return fields
}

// optional returns *p, or nil if p is nil.
func optional[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// orNil returns s, or nil if s is empty.
func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// csvRecords writes records as CSV, each record immediately.
type csvRecords[T any] struct {
	csv     *csv.Writer
	columns []column[T]
}

// newCSVRecords begins with the header row.
func newCSVRecords[T any](w io.Writer, columns []column[T]) (*csvRecords[T], error) {
	records := &csvRecords[T]{csv.NewWriter(w), columns}
	return records, records.write(names(columns))
}

// names returns the columns' names.
func names[T any](columns []column[T]) []string {
	list := make([]string, len(columns))
	for i, column := range columns {
		list[i] = column.name
	}
	return list
}

func (c *csvRecords[T]) Write(record T) error {
	fields := fieldsOf(c.columns, &record)
	row := make([]string, len(fields))
	for i, f := range fields {
		text, err := f.text()
		if err != nil {
			return err
		}
		if _, isText := f.value.(string); isText {
			text = plainField(text)
		}
		row[i] = text
	}
	return c.write(row)
}

func (c *csvRecords[T]) write(row []string) error {
	if err := c.csv.Write(row); err != nil {
		return fmt.Errorf("writing a CSV row: %w", err)
	}
	c.csv.Flush()
	if err := c.csv.Error(); err != nil {
		return fmt.Errorf("writing a CSV row: %w", err)
	}
	return nil
}

func (c *csvRecords[T]) Close() error { return nil }

// jsonRecords writes records as JSON objects, one per line, each record immediately.
type jsonRecords[T any] struct {
	w       io.Writer
	columns []column[T]
}

func (j *jsonRecords[T]) Write(record T) error {
	var line bytes.Buffer
	if err := writeObject(&line, fieldsOf(j.columns, &record)); err != nil {
		return err
	}
	line.WriteByte('\n')
	if _, err := j.w.Write(line.Bytes()); err != nil {
		return fmt.Errorf("writing a JSON line: %w", err)
	}
	return nil
}

func (j *jsonRecords[T]) Close() error { return nil }

// writeObject writes fields as one JSON object in their order.
func writeObject(b *bytes.Buffer, fields []field) error {
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		writeJSONString(b, f.name)
		b.WriteByte(':')
		text, err := f.text()
		if err != nil {
			return err
		}
		switch f.value.(type) {
		case nil:
			b.WriteString("null")
		case string:
			writeJSONString(b, text)
		default:
			b.WriteString(text)
		}
	}
	b.WriteByte('}')
	return nil
}

// writeJSONString writes s, which must be valid UTF-8, as a JSON string.
func writeJSONString(b *bytes.Buffer, s string) {
	text, _ := encodeJSON(s) // a string cannot fail
	b.Write(text)
}

// encodeJSON encodes v on one line. Characters special in HTML are not escaped.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// WriteIndented writes v as indented JSON. Characters special in HTML are not escaped.
func WriteIndented(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}
