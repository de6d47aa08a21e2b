// Package list reads and writes lists of a dataset's test pictures. It looks at
// the list alone, never at the pictures that it names.
//
// Three forms are read, each known by its content and never by its name:
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

// Format is the form of a list.
type Format string

// The forms that are read.
const (
	JSONLines Format = "jsonl"     // an object a line: image_path, label, class_name, mask_path
	Meta      Format = "meta.json" // {"train": ..., "test": {class: [row, ...]}}
	VisATable Format = "visa csv"  // a header with object, split, label, image, mask
)

// What Read and Sniff fail with, wrapped with the file, what is wrong and what is expected.
var (
	ErrNotList = errors.New("not a list of test pictures")
	ErrNoRows  = errors.New("the list has no test pictures")
	ErrBadRow  = errors.New("the list cannot be used")
)

// Row is one test picture as the list names it. Back-slashes are made slashes.
type Row struct {
	Image     string // never empty
	Mask      string // "" for a normal row, and where the list names none
	Class     string // never empty
	Defect    string // the kind of defect; "" for a normal row, and where the list does not say
	Anomalous bool
	Line      int // where the row begins, from 1
}

// Oddity is something unusual in how a list is written, which was understood.
type Oddity struct {
	Text  string // in words, such as "labels that are no whole numbers"
	Count int
	Line  int // of the first, from 1
}

// List is what was read.
type List struct {
	Format   Format
	Rows     []Row    // at least one, in the file's order
	Oddities []Oddity // in the order of their first lines
}

// The bounds of a list.
const (
	maxLine  = 1 << 20 // bytes of a line, or of a row that takes several
	maxName  = 4096    // bytes of a path, class or defect
	maxRows  = 20_000_000
	maxDepth = 100 // of what is nested in a meta.json outside its rows
)

// Read reads the list at path, which may be large but must be a regular file.
//
// A file that is no list is ErrNotList; a list whose rows are all for training,
// or that has none, is ErrNoRows. One that is damaged or holds rows that cannot
// be used is ErrBadRow, and the error tells the first few with their lines.
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

// notOpened is the error for a file that could not be opened, or not be read.
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
		_, _ = text.Discard(len(bom)) // it is in the buffer
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

// contextReader reads until its context ends.
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
