package list

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// jsonLine is a row of the JSON lines of ACD-CLIP (dataset/hub) and AA-CLIP (dataset/metadata).
type jsonLine struct {
	Image *string `json:"image_path"`
	Label *label  `json:"label"`
	Class *string `json:"class_name"`
	Mask  *string `json:"mask_path"`
}

func (r *reader) jsonLines(file io.Reader) error {
	lines := r.withoutBOM(file)
	for number := 1; ; number++ {
		if err := r.cancelled(number); err != nil {
			return err
		}
		line, err := readLine(lines)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("line %d: %w", number, err)
		}
		ended := errors.Is(err, io.EOF)
		if trimmed := bytes.TrimSuffix(line, []byte("\r")); len(trimmed) < len(line) {
			r.odd(number, "lines that end as Windows ends them")
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if ended {
				r.odd(number, "no newline at the end of the file")
			}
			if err := r.jsonLine(number, line); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
	}
}

// readLine gives a line without its newline; io.EOF comes with the last one.
// The line is valid until the next call.
func readLine(lines *bufio.Reader) ([]byte, error) {
	line, err := lines.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) && len(long) <= maxLine {
			line, err = lines.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	if len(line) > maxLine {
		return nil, fmt.Errorf("it is longer than %d bytes", maxLine)
	}
	return bytes.TrimSuffix(line, []byte("\n")), err
}

func (r *reader) jsonLine(number int, line []byte) error {
	var row jsonLine
	if err := json.Unmarshal(line, &row); err != nil {
		r.fail(number, "%v", err)
		return nil
	}
	if row.Label == nil {
		r.fail(number, "label is missing")
		return nil
	}
	anomalous, err := r.label(number, *row.Label)
	if err != nil {
		r.fail(number, "label: %v", err)
		return nil
	}
	return r.add(Row{Image: value(row.Image), Mask: value(row.Mask), Class: value(row.Class), Anomalous: anomalous, Line: number})
}

func value(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// label is 0 or 1 in any of the ways in which lists write it.
type label string

// UnmarshalJSON keeps the label as it is written.
func (l *label) UnmarshalJSON(text []byte) error {
	*l = label(text)
	return nil
}

// label reads 0, 1, 0.0, 1.0, "0", "1", true and false.
func (r *reader) label(line int, l label) (anomalous bool, err error) {
	text := string(l)
	switch text {
	case "0", "1":
		return text == "1", nil
	case "true", "false":
		r.odd(line, "labels that are true or false")
		return text == "true", nil
	}
	kind := "labels that are no whole numbers"
	if unquoted, err := strconv.Unquote(text); err == nil {
		text, kind = unquoted, "labels that are text"
	}
	switch number, err := strconv.ParseFloat(text, 64); {
	case err != nil || number != 0 && number != 1:
		return false, fmt.Errorf("%.40s is neither 0 (normal) nor 1 (anomalous)", string(l))
	default:
		r.odd(line, kind)
		return number == 1, nil
	}
}

// WriteJSONLines writes rows as ACD-CLIP's lists have them: one object a line,
// keys in their order, mask_path on anomalous rows that have a mask.
func WriteJSONLines(w io.Writer, rows []Row) error {
	out := bufio.NewWriter(w)
	for _, row := range rows {
		label := "0"
		if row.Anomalous {
			label = "1"
		}
		mask := ""
		if row.Anomalous && row.Mask != "" {
			mask = `, "mask_path": ` + quoted(row.Mask)
		}
		if _, err := fmt.Fprintf(out, "{\"image_path\": %s, \"label\": %s, \"class_name\": %s%s}\n", quoted(row.Image), label, quoted(row.Class), mask); err != nil {
			return fmt.Errorf("writing the list: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the list: %w", err)
	}
	return nil
}

// quoted writes a JSON string; HTML's characters stay as they are.
func quoted(text string) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string cannot fail
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
