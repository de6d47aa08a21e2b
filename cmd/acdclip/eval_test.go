package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/pkg/report"
)

// TestInterruptedEvaluation: the targets that were finished are written, and named.
func TestInterruptedEvaluation(t *testing.T) {
	folder := outputFolder{path: filepath.Join(t.TempDir(), "out"), kind: "results folder"}
	e := evaluation{options: &evalOptions{app: newApp(io.Discard, io.Discard, false)}, folder: folder, done: make([]*scored, 2)}
	if text := e.saveFinished(); text != "" || isFolder(folder.path) {
		t.Errorf("nothing was finished: %s", text)
	}
	e.done[1] = &scored{
		result: report.Result{Target: "tiles", Classes: []report.Row{{Class: "tile"}}},
		scores: []report.Score{{Target: "tiles", Path: "a.png", Score: 0.5}},
	}
	text := e.saveFinished()
	if want := folder.path + " holds the results of tiles; name the others with --target"; text != want {
		t.Errorf("got %q, want %q", text, want)
	}
	rows, err := os.ReadFile(filepath.Join(folder.path, "scores.csv"))
	if err != nil || bytes.Count(rows, []byte("\n")) != 2 || !strings.Contains(string(rows), "a.png") {
		t.Errorf("scores.csv: %q, %v", rows, err)
	}
}
