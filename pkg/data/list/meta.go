package list

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// metaRow is a row of the meta.json of AnomalyCLIP and AdaCLIP, and of Bayes-PFL's meta_<Name>.json.
type metaRow struct {
	Image  string `json:"img_path"`
	Mask   string `json:"mask_path"`
	Class  string `json:"cls_name"`
	Defect string `json:"specie_name"`
	Label  *label `json:"anomaly"`
}

// meta reads {"train": ..., "test": {class: [row, ...]}} value by value, since
// neither the whole document nor train has to be held.
func (r *reader) meta(file io.Reader) error {
	m := &metaReader{reader: r, lines: &lineCounter{r: r.withoutBOM(file)}}
	m.decoder = json.NewDecoder(m.lines)
	err := m.object(func(key string) error {
		if key != "test" {
			return m.skip()
		}
		return m.object(m.rows)
	})
	if err == nil {
		if _, end := m.decoder.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file ends in the middle")
	}
	if err != nil && r.ctx.Err() == nil {
		return fmt.Errorf("line %d: %w", m.line(), err)
	}
	return err
}

type metaReader struct {
	*reader
	decoder *json.Decoder
	lines   *lineCounter
}

// line is where the decoder stands.
func (m *metaReader) line() int { return m.lines.at(m.decoder.InputOffset()) }

// rows reads one class's rows.
func (m *metaReader) rows(class string) error {
	if err := m.delimiter('[', "a list of rows"); err != nil {
		return err
	}
	for m.decoder.More() {
		if err := m.ctx.Err(); err != nil {
			return err
		}
		if err := m.row(class); err != nil {
			return err
		}
	}
	return m.delimiter(']', "the end of the rows")
}

func (m *metaReader) row(class string) error {
	// The offset is that of the value before: the next token's line is found after it was read.
	var row metaRow
	err := m.decoder.Decode(&row)
	line := m.line()
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		m.fail(line, "%v", err)
		return nil
	case err != nil:
		return err
	case row.Image == "":
		m.odd(line, "rows without a picture, which are skipped")
		return nil
	case row.Label == nil:
		m.fail(line, "anomaly is missing")
		return nil
	}
	anomalous, err := m.label(line, *row.Label)
	if err != nil {
		m.fail(line, "anomaly: %v", err)
		return nil
	}
	if row.Class == "" {
		row.Class = class
	}
	return m.add(Row{Image: row.Image, Mask: row.Mask, Class: row.Class, Defect: row.Defect, Anomalous: anomalous, Line: line})
}

// object reads an object and calls value at each key, whose value it must read.
func (m *metaReader) object(value func(key string) error) error {
	if err := m.delimiter('{', "an object"); err != nil {
		return err
	}
	for m.decoder.More() {
		token, err := m.decoder.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string) // the decoder takes nothing else for a key
		if err := value(key); err != nil {
			return err
		}
	}
	return m.delimiter('}', "the object's end")
}

func (m *metaReader) delimiter(want json.Delim, what string) error {
	token, err := m.decoder.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("expected %s, got %v", what, token)
	}
	return nil
}

// skip passes over a value of any kind.
func (m *metaReader) skip() error {
	for depth := 0; ; {
		token, err := m.decoder.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > 100 {
				return errors.New("it is nested too deeply")
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return m.ctx.Err()
		}
	}
}

// lineCounter tells the line of an offset of what was read through it. The
// offsets that it is asked for never fall.
type lineCounter struct {
	r      io.Reader
	read   int64
	breaks []int64 // offsets of the newlines that were read and not asked past
	line   int     // newlines before the last offset asked for
}

func (l *lineCounter) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	for i, c := range b[:n] {
		if c == '\n' {
			l.breaks = append(l.breaks, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

func (l *lineCounter) at(offset int64) int {
	passed := 0
	for passed < len(l.breaks) && l.breaks[passed] < offset {
		passed++
	}
	l.line += passed
	l.breaks = append(l.breaks[:0], l.breaks[passed:]...)
	return l.line + 1
}
