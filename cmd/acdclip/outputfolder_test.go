package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOutputFolder(t *testing.T) {
	cases := []struct {
		name    string
		files   []string
		refused string // by --overwrite; "" where it may go on
	}{
		{"empty", nil, ""},
		{"its own", []string{"rows.csv", "maps/a/b.png", "maps/.b.png123"}, ""},
		{"one half written", []string{".rows.csv4711"}, ""},
		{"another file", []string{"rows.csv", "notes.txt"}, "notes.txt"},
		{"a name that only begins alike", []string{"rows.csv.bak"}, "rows.csv.bak"},
		{"another file in a tree", []string{"maps/a/thesis.doc"}, "maps/a/thesis.doc"},
		{"another folder", []string{"photos/a.png"}, "photos"},
		{"a folder of a file's name", []string{"rows.csv/x"}, "rows.csv"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			folder := outputFolder{path: t.TempDir(), kind: "folder", files: fileNames(`rows\.csv`), trees: pngTrees("maps")}
			for _, file := range c.files {
				path := filepath.Join(folder.path, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := folder.check(false); (err == nil) != (c.files == nil) {
				t.Errorf("without --overwrite: %v", err)
			}
			err := folder.check(true)
			if (err == nil) != (c.refused == "") || err != nil && (!strings.Contains(err.Error(), "holds "+c.refused+",") || statusOf(err) != statusUsage) {
				t.Fatalf("with --overwrite: %v, want %q named", err, c.refused)
			}
			if err != nil {
				return
			}
			if err := folder.create(); err != nil {
				t.Fatal(err)
			}
			if left, err := os.ReadDir(folder.path); err != nil || len(left) > 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

// TestOutputFolderKeepsLinks: what a link leads to is not the verb's own.
func TestOutputFolderKeepsLinks(t *testing.T) {
	other := t.TempDir()
	folder := outputFolder{path: t.TempDir(), kind: "folder", trees: pngTrees("maps")}
	if err := os.Symlink(other, filepath.Join(folder.path, "maps")); err != nil {
		t.Skip(err)
	}
	if err := folder.check(true); err == nil {
		t.Error("a link was taken for the verb's own folder")
	}
}

func TestParseDataset(t *testing.T) {
	for text, want := range map[string]datasetArgument{
		"visa":         {"visa", ""},
		"visa=/d/v":    {"visa", "/d/v"},
		"visa=d=v":     {"visa", "d=v"},
		"/data/bolts":  {"bolts", "/data/bolts"},
		"./bolts/":     {"bolts", "./bolts/"},
		"/data/a=b/c":  {"c", "/data/a=b/c"},
		"mvtec.v2=./x": {"mvtec.v2", "./x"},
	} {
		if got, err := parseDataset("--target", text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "=x", "x="} {
		if _, err := parseDataset("--target", text); statusOf(err) != statusUsage {
			t.Errorf("%q: %v", text, err)
		}
	}
}
