package list

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// WriteJSONLines writes rows in the format of ACD-CLIP's VisA.jsonl, byte for byte.
// Read returns the same rows except Defect and Line, which the format does not
// contain; masks of normal rows are not written. A row that Read would refuse or
// change, such as a path with backslashes, is an error.
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

// unwritable describes why Read would not return the same row; "" if it would.
func (r *Row) unwritable() string {
	if what := r.fault(JSONLines.keys()); what != "" {
		return what
	}
	for _, path := range [...]string{r.Image, r.Mask} {
		if strings.Contains(path, `\`) {
			return shown(path) + " contains a backslash, which would be read as a slash"
		}
	}
	return ""
}

// appendTo writes the row with the key order and spacing of the released lists.
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

// quote writes a JSON string without escaping HTML characters.
func quote(line *bytes.Buffer, text string) {
	encoder := json.NewEncoder(line)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)      // cannot fail in memory
	line.Truncate(line.Len() - 1) // removes the newline that the encoder appends
}
