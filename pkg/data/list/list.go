// Package list reads and writes lists of a dataset's test pictures: the JSON
// lines of ACD-CLIP and AA-CLIP, the meta.json of AnomalyCLIP, AdaCLIP and
// Bayes-PFL, and VisA's table. It looks at the list alone, never at the pictures.
package list

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Format is the form of a list.
type Format string

// The forms that are read, each known by its content.
const (
	JSONLines Format = "JSON lines" // one object a line: image_path, label, class_name, mask_path
	Meta      Format = "meta.json"  // {"train": ..., "test": {class: [row, ...]}}
	VisATable Format = "VisA table" // object,split,label,image,mask
)

// What Read and Sniff fail with, wrapped with what and where.
var (
	ErrNotList = errors.New("not a list of pictures")
	ErrNoRows  = errors.New("the list has no test pictures")
	ErrBadRow  = errors.New("the list has rows that cannot be used")
)

// Row is one test picture as the list names it, with forward slashes.
type Row struct {
	Image     string
	Mask      string // "" for a normal row, and where the list names none
	Class     string
	Defect    string // the kind of defect; "" for a normal row, and where the list does not say
	Anomalous bool
	Line      int // where the row begins, from 1
}

// Oddity is something unusual in how a list is written, which was understood.
type Oddity struct {
	Text  string
	Count int
	Line  int // the first, from 1
}

// List is what was read.
type List struct {
	Format   Format
	Rows     []Row // in the file's order
	Oddities []Oddity
}

// The bounds of a list.
const (
	maxLine = 1 << 20 // bytes of a line, and of what Sniff looks at
	maxPath = 4096    // bytes of a path
	maxRows = 20_000_000
	maxTold = 5 // bad rows that an error names
)

// Read reads the list at path. A file that is no list is ErrNotList, one with no
// test row ErrNoRows; bad rows are ErrBadRow with the lines of the first few.
func Read(ctx context.Context, path string) (*List, error) {
	file, format, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r := reader{ctx: ctx, list: &List{Format: format}, words: map[string]string{}, oddity: map[string]int{}}
	switch format {
	case JSONLines:
		err = r.jsonLines(file)
	case Meta:
		err = r.meta(file)
	case VisATable:
		err = r.table(file)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("list %s: %w", path, err)
	case len(r.bad) > 0:
		text := strings.Join(r.bad, "; ")
		if more := r.badCount - len(r.bad); more > 0 {
			text += fmt.Sprintf("; and %d more", more)
		}
		return nil, fmt.Errorf("list %s: %w: %s", path, ErrBadRow, text)
	case len(r.list.Rows) == 0:
		return nil, fmt.Errorf("list %s: %w", path, ErrNoRows)
	}
	return r.list, nil
}

// Sniff tells the form of a list from its beginning; ErrNotList where it is none.
func Sniff(path string) (Format, error) {
	file, format, err := open(path)
	if err != nil {
		return "", err
	}
	return format, file.Close()
}

// open opens a regular file, knows its form and is back at its beginning.
func open(path string) (*os.File, Format, error) {
	info, err := os.Stat(path) // opening a pipe would wait for its writer
	if err != nil {
		return nil, "", err
	}
	if !info.Mode().IsRegular() {
		return nil, "", fmt.Errorf("%s: %w: it is no regular file", path, ErrNotList)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	format, err := formatOf(file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return file, format, nil
}

const bom = "\ufeff"

func formatOf(r io.Reader) (Format, error) {
	head, err := io.ReadAll(io.LimitReader(r, maxLine))
	if err != nil {
		return "", err
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte(bom)), " \t\r\n")
	first, _, _ := bytes.Cut(head, []byte("\n"))
	var row struct {
		Image *json.RawMessage `json:"image_path"`
	}
	switch {
	case len(head) == 0:
		return "", fmt.Errorf("%w: the file is empty", ErrNotList)
	case head[0] == '{':
		if json.Unmarshal(first, &row) == nil && row.Image != nil {
			return JSONLines, nil
		}
		if isMeta(head) {
			return Meta, nil
		}
	case isTableHead(string(first)):
		return VisATable, nil
	}
	return "", fmt.Errorf("%w: it begins with %.40q; lists are JSON lines with image_path, label and class_name, a meta.json with \"test\", and VisA's 1cls.csv", ErrNotList, head)
}

// isMeta reports whether the first key of a JSON object is one of meta.json's.
func isMeta(head []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(head))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return false
	}
	key, err := decoder.Token()
	return err == nil && (key == "train" || key == "test")
}

// reader gathers rows.
type reader struct {
	ctx      context.Context
	list     *List
	words    map[string]string // classes and defects, each held once
	oddity   map[string]int    // an Oddity's text to its place
	bad      []string
	badCount int
}

func (r *reader) odd(line int, text string) {
	at, known := r.oddity[text]
	if !known {
		at = len(r.list.Oddities)
		r.oddity[text] = at
		r.list.Oddities = append(r.list.Oddities, Oddity{Text: text, Line: line})
	}
	r.list.Oddities[at].Count++
}

func (r *reader) fail(line int, format string, values ...any) {
	if r.badCount++; r.badCount <= maxTold {
		r.bad = append(r.bad, fmt.Sprintf("line %d: ", line)+fmt.Sprintf(format, values...))
	}
}

// add checks a row and keeps it.
func (r *reader) add(row Row) error {
	row.Image, row.Mask = r.path(row.Line, row.Image), r.path(row.Line, row.Mask)
	if !row.Anomalous {
		row.Mask, row.Defect = "", ""
	}
	switch problem := r.problem(row); {
	case problem != "":
		r.fail(row.Line, "%s", problem)
		return nil
	case len(r.list.Rows) == maxRows:
		return fmt.Errorf("line %d: more than %d rows", row.Line, maxRows)
	}
	row.Class, row.Defect = r.word(row.Class), r.word(row.Defect)
	r.list.Rows = append(r.list.Rows, row)
	return nil
}

func (r *reader) problem(row Row) string {
	for _, text := range []struct{ name, value string }{{"the picture's path", row.Image}, {"the mask's path", row.Mask}, {"the class", row.Class}, {"the defect", row.Defect}} {
		switch {
		case len(text.value) > maxPath:
			return fmt.Sprintf("%s is longer than %d bytes", text.name, maxPath)
		case !utf8.ValidString(text.value):
			return text.name + " is not UTF-8"
		case strings.ContainsFunc(text.value, unicode.IsControl):
			return fmt.Sprintf("%s %q holds a control character", text.name, text.value)
		}
	}
	switch {
	case row.Image == "":
		return "the picture's path is missing or empty"
	case row.Class == "":
		return "the class is missing or empty"
	}
	return ""
}

// path turns back-slashes, as Windows writes them.
func (r *reader) path(line int, path string) string {
	if strings.Contains(path, `\`) {
		r.odd(line, "back-slashes in a path")
		return strings.ReplaceAll(path, `\`, "/")
	}
	return path
}

func (r *reader) word(text string) string {
	if known, ok := r.words[text]; ok {
		return known
	}
	r.words[text] = text
	return text
}

// cancelled asks the context now and then.
func (r *reader) cancelled(line int) error {
	if line%1024 != 0 {
		return nil
	}
	return r.ctx.Err()
}

// withoutBOM skips a byte order mark.
func (r *reader) withoutBOM(file io.Reader) *bufio.Reader {
	buffered := bufio.NewReaderSize(file, 1<<16)
	if start, _ := buffered.Peek(len(bom)); string(start) == bom {
		_, _ = buffered.Discard(len(bom)) // they are in the buffer
		r.odd(1, "a byte order mark")
	}
	return buffered
}
