package list

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSniff(t *testing.T) {
	for _, c := range []struct {
		text string
		want Format
	}{
		{oneRow, JSONLines},
		{"\ufeff \r\n" + oneRow, JSONLines},
		{`{"test": 1, "class_name": {"train": {}}, "image_path": "a"}`, JSONLines},
		{`{"image_path": "cut in the mid`, JSONLines},
		{`{"train": {}, "test": {}}`, Meta},
		{"{\n  \"train\": {\n", Meta},
		{`{"test": {"c": [` + strings.Repeat(" ", headBytes), Meta},
		{`{"version": [1, [2]], "test": {`, Meta},
		{visaHeader, VisATable},
		{"image,\"mask\",label,split, object\nc", VisATable},
		{"\r\n" + visaHeader, VisATable},
	} {
		path := filepath.Join(t.TempDir(), "list.png")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := Sniff(path); got != c.want || err != nil {
			t.Errorf("%.60q: %q, %v, want %q", c.text, got, err, c.want)
		}
	}
}

func TestSniffSaysWhatItIs(t *testing.T) {
	const neither = `JSON without image_path on its first line and without an object "test"`
	for _, c := range []struct{ text, want string }{
		{"", "empty"},
		{"\ufeff \n\r\n", "empty"},
		{"[" + oneRow + "]", "a JSON array"},
		{`{"images": [], "annotations": []}`, neither},
		{"{\n\"image_path\": \"a\", \"label\": 0}", neither},
		{`{"test": [1]}`, neither},
		{"{test: {}}", neither},
		{"{" + strings.Repeat(`"a":[`, 30_000), neither},
		{"\xff\xfe{\x00\"\x00", "UTF-16 text (expected UTF-8)"},
		{"PK\x03\x04", "a compressed file"},
		{"\x1f\x8b\x08", "a compressed file"},
		{"\x89PNG\r\n\x1a\n", "binary, or text that is not UTF-8"},
		{"a\x00", "binary, or text that is not UTF-8"},
		{"object,split,label,image\nc", "a table without the columns mask"},
		{"model:\r\n  groups: 4\r\n", `text that begins with "model:"`},
		{strings.Repeat("ä", 1000), `text that begins with "` + strings.Repeat("ä", 60) + `..."`},
	} {
		path := filepath.Join(t.TempDir(), "list.jsonl")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Sniff(path)
		if !errors.Is(err, ErrNotList) || !strings.Contains(err.Error(), "it seems to be "+c.want+"; supported are JSON lines (") {
			t.Errorf("%.60q: %v, want %s", c.text, err, c.want)
		}
		if _, other := readText(c.text); !errors.Is(other, ErrNotList) {
			t.Errorf("%.60q: Read says %v", c.text, other)
		}
	}
}

func TestSniffNeedsAFile(t *testing.T) {
	if _, err := Sniff(t.TempDir()); !errors.Is(err, ErrNotList) {
		t.Error(err)
	}
	if _, err := Sniff(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
