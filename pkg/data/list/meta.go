package list

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// metaRow is a row in the format of AnomalyCLIP, AdaCLIP and Bayes-PFL. Unknown keys,
// such as Bayes-PFL's dataset_name, are allowed.
type metaRow struct {
	Image  *string         `json:"img_path"` // nil if it is missing, as opposed to ""
	Mask   string          `json:"mask_path"`
	Class  string          `json:"cls_name"`
	Defect string          `json:"specie_name"`
	Label  json.RawMessage `json:"anomaly"`
}

// readMeta reads the test rows of a meta.json token by token, so that it never keeps
// the document or its train part in memory. It records faults in the collector and
// returns only read errors and too many rows.
func readMeta(text io.Reader, c *collector) error {
	m := metaReader{collector: c, text: newWindow(text)}
	m.decoder = json.NewDecoder(m.text)
	err := m.document()
	switch {
	case err == nil:
		return nil
	case m.text.err != nil:
		return m.text.err
	case errors.Is(err, ErrBadRow):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		m.text.passAll()
		err = errors.New("unexpected end of file")
	}
	c.fault(m.text.line, err.Error())
	return nil
}

type metaReader struct {
	*collector
	decoder *json.Decoder
	text    *window // the decoder's input
	raw     []byte  // the raw text of the last token, valid until the next is read
	held    metaRow // reused, with its label's memory
}

func (m *metaReader) document() error {
	err := m.object("the lists train and test", func(key string) error {
		if key == "test" {
			return m.object("the classes of test", m.rows)
		}
		first, err := m.token()
		if err != nil {
			return err
		}
		return skip(first, m.token)
	})
	if err != nil {
		return err
	}
	switch token, err := m.token(); {
	case err == nil:
		return fmt.Errorf("unexpected %s after the object", tokenText(token))
	case err != io.EOF:
		return err
	}
	return nil
}

// object reads an object and calls value for each key; value must read the key's value.
func (m *metaReader) object(what string, value func(key string) error) error {
	if err := m.delimiter('{', "an object with "+what); err != nil {
		return err
	}
	for m.more() {
		token, err := m.token()
		if err != nil {
			return err
		}
		if !isText(m.raw) {
			return errors.New(notUTF8)
		}
		if err := value(token.(string)); err != nil { // the decoder accepts only string keys
			return err
		}
	}
	return m.delimiter('}', "the end of "+what)
}

// rows reads the rows of one class.
func (m *metaReader) rows(class string) error {
	if err := m.delimiter('[', "an array with the rows of "+shown(class)); err != nil {
		return err
	}
	for m.more() {
		if err := m.row(class); err != nil {
			return err
		}
	}
	return m.delimiter(']', "the end of the rows of "+shown(class))
}

func (m *metaReader) row(class string) error {
	row := &m.held
	*row = metaRow{Label: row.Label[:0]}
	m.text.passTo(m.decoder.InputOffset())
	err := m.decoder.Decode(row)
	m.text.passAny(", \t\r\n") // the decoder is after the previous row, but not yet at this one
	line := m.text.line
	raw := m.text.passTo(m.decoder.InputOffset())

	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		m.fault(line, jsonFault(err))
		return nil
	case err != nil:
		return err
	case !isText(raw):
		m.fault(line, notUTF8)
		return nil
	case row.Image != nil && *row.Image == "":
		m.odd(line, "rows without a picture, which are skipped")
		return nil
	}
	anomalous, ok := m.label(line, "anomaly", row.Label)
	if !ok {
		return nil
	}
	out := Row{Mask: row.Mask, Class: row.Class, Defect: row.Defect, Anomalous: anomalous, Line: line}
	if row.Image != nil {
		out.Image = *row.Image
	}
	if out.Class == "" {
		out.Class = class
	}
	return m.add(out)
}

func (m *metaReader) delimiter(want json.Delim, what string) error {
	token, err := m.token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("expected %s, got %s", what, tokenText(token))
	}
	return nil
}

// tokenText formats a token for an error message.
func tokenText(token json.Token) string {
	switch token := token.(type) {
	case nil:
		return "null"
	case string:
		return shown(token)
	}
	return fmt.Sprint(token)
}

func (m *metaReader) more() bool {
	m.text.allow()
	return m.decoder.More()
}

func (m *metaReader) token() (json.Token, error) {
	m.text.allow()
	token, err := m.decoder.Token()
	m.raw = m.text.passTo(m.decoder.InputOffset())
	return token, err
}
