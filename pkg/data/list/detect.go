package list

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"acdclip/pkg/regularfile"
)

// headBytes is the number of bytes read to detect whether a file is a list.
const headBytes = 64 << 10

const bom = "\ufeff"

// Sniff detects the format of a list from the beginning of the file. The error is
// ErrNotList if it is no list. Read may still find errors in the rest.
func Sniff(path string) (Format, error) {
	head, err := regularfile.Head(path, headBytes)
	if err != nil {
		return "", notOpened(path, err)
	}
	format, err := detect(head)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return format, nil
}

func detect(head []byte) (Format, error) {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte(bom)), " \t\r\n")
	if format, ok := jsonFormat(text); ok {
		return format, nil
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	header, _ := csv.NewReader(bytes.NewReader(line)).Read() // nil if it is no CSV
	missing := missingColumns(header)
	if len(missing) == 0 {
		return VisATable, nil
	}
	return "", fmt.Errorf("%w: it seems to be %s; supported are JSON lines (each an object with image_path, label, class_name and mask_path), "+
		"a meta.json ({\"test\": {class: [row, ...]}}) and VisA's 1cls.csv (object,split,label,image,mask)", ErrNotList, guess(text, missing))
}

// jsonFormat decides by the keys of the first object: image_path on the first line
// means JSON lines, even if the rest of that line is damaged; an object train or test
// means a meta.json.
func jsonFormat(text []byte) (Format, bool) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return "", false
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return "", false
		}
		if key == "image_path" && !bytes.ContainsRune(text[:decoder.InputOffset()], '\n') {
			return JSONLines, true
		}
		first, err := decoder.Token()
		if err != nil {
			return "", false
		}
		if (key == "train" || key == "test") && first == json.Delim('{') {
			return Meta, true
		}
		if err := skip(first, decoder.Token); err != nil {
			return "", false
		}
	}
	return "", false
}

// skip skips the rest of a JSON value whose first token was read.
func skip(first json.Token, next func() (json.Token, error)) error {
	for token, depth := first, 0; ; {
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return errors.New("nested too deeply")
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		var err error
		if token, err = next(); err != nil {
			return err
		}
	}
}

// guess describes the content of a file that is no list.
func guess(text []byte, missing []string) string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line = bytes.TrimRight(line, "\r")
	switch {
	case len(text) == 0:
		return "empty"
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")):
		return "UTF-16 text (expected UTF-8)"
	case bytes.HasPrefix(text, []byte("\x1f\x8b")), bytes.HasPrefix(text, []byte("PK\x03\x04")):
		return "a compressed file"
	case bytes.IndexByte(line, 0) >= 0, !utf8.Valid(line):
		return "binary, or text that is not UTF-8"
	case text[0] == '{':
		return "JSON without image_path on its first line and without an object \"test\""
	case text[0] == '[':
		return "a JSON array"
	case len(missing) < len(visaColumns()):
		return "a table without the columns " + strings.Join(missing, ", ")
	}
	return "text that begins with " + shown(string(line))
}
