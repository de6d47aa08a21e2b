package list

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// jsonLine is a row in the format of ACD-CLIP and AA-CLIP. Unknown keys are allowed.
type jsonLine struct {
	Image string          `json:"image_path"`
	Label json.RawMessage `json:"label"`
	Class string          `json:"class_name"`
	Mask  string          `json:"mask_path"`
}

// readJSONLines reads one object per line. It records faults in the collector and
// returns only read errors.
func readJSONLines(text *bufio.Reader, c *collector) error {
	var row jsonLine
	for line := 1; ; line++ {
		raw, err := text.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			c.fault(line, fmt.Sprintf("longer than %d bytes", maxLine))
			return nil
		case err != nil && err != io.EOF:
			return err
		}
		if bytes.HasSuffix(raw, []byte("\r\n")) {
			c.odd(line, "Windows line ends (CRLF)")
		}
		if err == io.EOF && len(raw) > 0 {
			c.odd(line, "no newline at the end of the file")
		}
		if raw = bytes.TrimSpace(raw); len(raw) > 0 {
			row = jsonLine{Label: row.Label[:0]}
			if err := c.jsonLine(line, raw, &row); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

func (c *collector) jsonLine(line int, raw []byte, row *jsonLine) error {
	if !isText(raw) {
		c.fault(line, notUTF8)
		return nil
	}
	if err := json.Unmarshal(raw, row); err != nil {
		c.fault(line, jsonFault(err))
		return nil
	}
	anomalous, ok := c.label(line, "label", row.Label)
	if !ok {
		return nil
	}
	return c.add(Row{Image: row.Image, Mask: row.Mask, Class: row.Class, Anomalous: anomalous, Line: line})
}
