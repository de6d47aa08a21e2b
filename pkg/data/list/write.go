package list

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteJSONLines writes rows in the form of ACD-CLIP's VisA.jsonl, byte for byte.
// Read reads the same rows back but for Defect and Line, which the form does not
// have; the mask of a normal row is not written. A row that Read would refuse or
// change, as it does back-slashes in a path, is an error.
func WriteJSONLines(w io.Writer, rows []Row) error {
	out := bufio.NewWriter(w)
	var line bytes.Buffer
	for i, row := range rows {
		row.Defect = ""
		if !row.Anomalous {
			row.Mask = ""
		}
		if what := row.unwritable(); what != "" {
			return fmt.Errorf("writing a list: row %d: %s", i+1, what)
		}
		line.Reset()
		row.appendTo(&line)
		if _, err := out.Write(line.Bytes()); err != nil {
			return fmt.Errorf("writing a list: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing a list: %w", err)
	}
	return nil
}

// unwritable says why Read would not give the row back; "" is nothing.
func (r *Row) unwritable() string {
	if what := r.fault(JSONLines.keys()); what != "" {
		return what
	}
	for _, path := range [...]string{r.Image, r.Mask} {
		if strings.Contains(path, `\`) {
			return shown(path) + " holds a back-slash, which is read as a slash"
		}
	}
	return ""
}

// appendTo writes the row with the keys' order and the blanks of the released lists.
func (r *Row) appendTo(line *bytes.Buffer) {
	line.WriteString(`{"image_path": `)
	quote(line, r.Image)
	if r.Anomalous {
		line.WriteString(`, "label": 1, "class_name": `)
	} else {
		line.WriteString(`, "label": 0, "class_name": `)
	}
	quote(line, r.Class)
	if r.Mask != "" {
		line.WriteString(`, "mask_path": `)
		quote(line, r.Mask)
	}
	line.WriteString("}\n")
}

// quote writes a JSON text in which HTML's characters stay as they are.
func quote(line *bytes.Buffer, text string) {
	encoder := json.NewEncoder(line)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)      // a text in memory cannot fail
	line.Truncate(line.Len() - 1) // the encoder ends each value with a newline
}
