package list

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

// readText reads a list from a string.
func readText(text string) (*List, error) {
	return read(context.Background(), strings.NewReader(text), maxRows)
}

// accepted is a list with its expected content.
type accepted struct {
	name     string
	text     string
	rows     []Row
	oddities []Oddity
}

func (want accepted) check(t *testing.T, format Format) {
	t.Run(want.name, func(t *testing.T) {
		got, err := readText(want.text)
		if err != nil {
			t.Fatal(err)
		}
		if got.Format != format {
			t.Errorf("format %q, want %q", got.Format, format)
		}
		if !reflect.DeepEqual(got.Rows, want.rows) {
			t.Errorf("rows\n%+v\nwant\n%+v", got.Rows, want.rows)
		}
		if !reflect.DeepEqual(got.Oddities, want.oddities) {
			t.Errorf("oddities\n%+v\nwant\n%+v", got.Oddities, want.oddities)
		}
	})
}

// refused is an invalid list with the complete error text.
type refused struct {
	name string
	text string
	want string
}

func (want refused) check(t *testing.T) {
	t.Run(want.name, func(t *testing.T) {
		list, err := readText(want.text)
		if !errors.Is(err, ErrBadRow) {
			t.Fatalf("got %+v, %v, want an ErrBadRow", list, err)
		}
		if got := strings.TrimPrefix(err.Error(), ErrBadRow.Error()+": "); got != want.want {
			t.Errorf("error\n%s\nwant\n%s", got, want.want)
		}
	})
}

const oneRow = `{"image_path": "a.png", "label": 0, "class_name": "c"}` + "\n"

func TestReadNamesTheFile(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		want error
	}{
		{write("good.txt", oneRow), nil},
		{write("bad.jsonl", oneRow+"{}\n"), ErrBadRow},
		{write("norows.json", `{"test": {}}`), ErrNoRows},
		{write("notes.txt", "hello"), ErrNotList},
		{filepath.Join(folder, "absent.jsonl"), os.ErrNotExist},
		{folder, ErrNotList},
		{pipe, ErrNotList},
	} {
		_, err := Read(context.Background(), c.path)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.path, err, c.want)
		}
		if err != nil && strings.Count(err.Error(), c.path) != 1 {
			t.Errorf("the error does not name its file once: %v", err)
		}
	}
}

// longLists returns lists of each format that are longer than the read buffer.
func longLists() []string {
	const rows = 50_000
	return []string{
		strings.Repeat(oneRow, rows),
		`{"train": {"c": [` + strings.Repeat(`{"img_path": "some/long/path/a.png", "anomaly": 0},`, rows) + `{}]}, "test": {}}`,
		`{"test": {"c": [` + strings.Repeat(`{"img_path": "some/long/path/a.png", "anomaly": 0},`, rows) + `{}]}}`,
		visaHeader + strings.Repeat("class,test,normal,some/long/path/a.png,\r\n", rows),
	}
}

func TestReadIsCancelled(t *testing.T) {
	for _, text := range longLists() {
		ctx, cancel := context.WithCancel(context.Background())
		file := &cancelling{strings.NewReader(text), cancel}
		if list, err := read(ctx, file, maxRows); !errors.Is(err, context.Canceled) {
			t.Errorf("%.20q: got %v, %v", text, list, err)
		}
	}
}

// cancelling cancels its context after the first Read.
type cancelling struct {
	io.Reader
	cancel context.CancelFunc
}

func (c *cancelling) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.cancel()
	return n, err
}

func TestReadTellsThatTheDiskFails(t *testing.T) {
	broken := errors.New("the disk is broken")
	for _, text := range longLists() {
		for _, after := range []int{0, headBytes - 1, 2 * headBytes, len(text)} {
			file := io.MultiReader(strings.NewReader(text[:after]), iotest.ErrReader(broken))
			if list, err := read(context.Background(), file, maxRows); !errors.Is(err, broken) {
				t.Errorf("%.20q, broken after %d bytes: %v, %v", text, after, list, err)
			}
		}
	}
}

func TestReadBoundsTheRows(t *testing.T) {
	for _, text := range []string{
		oneRow + oneRow + oneRow,
		`{"test": {"c": [{"img_path": "a.png", "anomaly": 0}, {"img_path": "b.png", "anomaly": 0}, {"img_path": "c.png", "anomaly": 0}]}}`,
		visaHeader + "c,test,normal,a.png,\nc,test,normal,b.png,\nc,test,normal,c.png,\n",
	} {
		if list, err := read(context.Background(), strings.NewReader(text), 3); err != nil || len(list.Rows) != 3 {
			t.Errorf("%v, %v", list, err)
		}
		if _, err := read(context.Background(), strings.NewReader(text), 2); !errors.Is(err, ErrBadRow) || !strings.Contains(err.Error(), "more than 2 rows") {
			t.Error(err)
		}
	}
}

// The result is the same for readers that return only a few bytes per Read.
func TestReadInPieces(t *testing.T) {
	readers := map[Format]func(io.Reader, *collector) error{
		JSONLines: func(r io.Reader, c *collector) error { return readJSONLines(bufio.NewReader(r), c) },
		Meta:      readMeta,
		VisATable: readVisA,
	}
	for _, list := range append(append(jsonLinesLists(), metaLists()...), visaLists()...) {
		want, err := readText(list.text)
		if err != nil {
			t.Fatal(err)
		}
		c := newCollector(want.Format, maxRows)
		text := strings.TrimPrefix(list.text, bom)
		if err := readers[want.Format](iotest.OneByteReader(strings.NewReader(text)), c); err != nil {
			t.Fatal(err)
		}
		got, err := c.result()
		if err != nil || !reflect.DeepEqual(got.Rows, want.Rows) {
			t.Errorf("%s: %+v, %v\nwant %+v", list.name, got, err, want)
		}
	}
}
