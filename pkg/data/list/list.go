// Package list reads and writes lists of a dataset's test pictures. It reads only the
// list, never the pictures.
//
// It reads three formats, detected by content and never by file name:
//
//   - JSON lines, the dataset/hub/<key>.jsonl of ACD-CLIP and the
//     dataset/metadata/<key>/full-shot.jsonl of AA-CLIP;
//   - meta.json of AnomalyCLIP and AdaCLIP, and Bayes-PFL's meta_<Name>.json;
//   - the table split_csv/1cls.csv of VisA.
package list

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"acdclip/pkg/regularfile"
)

// Format is the format of a list.
type Format string

// The supported formats.
const (
	JSONLines Format = "jsonl"     // one object per line: image_path, label, class_name, mask_path
	Meta      Format = "meta.json" // {"train": ..., "test": {class: [row, ...]}}
	VisATable Format = "visa csv"  // a header with object, split, label, image, mask
)

// Errors of Read and Sniff, wrapped with the file, the problem and what is expected.
var (
	ErrNotList = errors.New("not a list of test pictures")
	ErrNoRows  = errors.New("the list has no test pictures")
	ErrBadRow  = errors.New("the list has invalid rows")
)

// Row is one test picture of the list, with slashes in place of backslashes in paths.
type Row struct {
	Image     string // never empty
	Mask      string // "" for a normal row, or if the list names no mask
	Class     string // never empty
	Defect    string // the kind of defect; "" for a normal row, or if the list does not state it
	Anomalous bool
	Line      int // line in the file where the row begins, from 1
}

// Oddity is an unusual form in a list that was read nevertheless.
type Oddity struct {
	Text  string // a description, such as "labels that are not integers"
	Count int
	Line  int // the first line with it, from 1
}

// List is the content of a list.
type List struct {
	Format   Format
	Rows     []Row    // at least one, in the file's order
	Oddities []Oddity // in the order of their first lines
}

// The limits of a list.
const (
	maxLine  = 1 << 20 // bytes of a line, or of a row of several lines
	maxName  = 4096    // bytes of a path, class or defect
	maxRows  = 20_000_000
	maxDepth = 100 // nesting depth of a meta.json outside its rows
)

// Read reads the list at path, which may be large but must be a regular file.
//
// The error is ErrNotList if the file is no list, ErrNoRows if the list has no rows or
// only training rows, and ErrBadRow if it is damaged or has invalid rows; it then
// names the first few with their lines.
func Read(ctx context.Context, path string) (*List, error) {
	file, _, err := regularfile.Open(path)
	if err != nil {
		return nil, notOpened(path, err)
	}
	defer file.Close()
	list, err := read(ctx, file, maxRows)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// notOpened returns the error for a file that could not be opened or read.
func notOpened(path string, err error) error {
	if other, ok := errors.AsType[*regularfile.OtherError](err); ok {
		return fmt.Errorf("%s: %w: it is %s", path, ErrNotList, other.Kind)
	}
	return fmt.Errorf("reading a list: %w", err)
}

func read(ctx context.Context, file io.Reader, maxRows int) (*List, error) {
	text := bufio.NewReaderSize(contextReader{ctx, file}, maxLine)
	head, err := text.Peek(headBytes)
	if err != nil && err != io.EOF {
		return nil, err
	}
	format, err := detect(head)
	if err != nil {
		return nil, err
	}
	c := newCollector(format, maxRows)
	if bytes.HasPrefix(head, []byte(bom)) {
		c.odd(1, "a byte order mark")
		_, _ = text.Discard(len(bom)) // cannot fail, the buffer contains it
	}
	switch format {
	case JSONLines:
		err = readJSONLines(text, c)
	case Meta:
		err = readMeta(text, c)
	case VisATable:
		err = readVisA(text, c)
	}
	if err != nil {
		return nil, err
	}
	return c.result()
}

// contextReader reads until its context is done.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
