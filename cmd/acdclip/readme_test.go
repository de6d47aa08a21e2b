package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/golden"
)

// TestReadmeCommands: readme.txtar runs the commands of README's first page.
func TestReadmeCommands(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(golden.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join("testdata", "script", "readme.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var run []string
	for line := range strings.Lines(string(script)) {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "exec "); ok {
			run = append(run, strings.Replace(command, "acdclip-published", "acdclip", 1))
		}
	}
	_, page, _ := strings.Cut(string(readme), "\n## Three commands")
	page, _, _ = strings.Cut(page, "\n## ")
	count := 0
	for line := range strings.Lines(page) {
		command, ok := strings.CutPrefix(line, "bin/")
		if !ok {
			continue
		}
		command, _, _ = strings.Cut(command, " #")
		command = strings.ReplaceAll(strings.TrimSpace(command), `"`, "'")
		for len(run) > 0 && run[0] != command {
			run = run[1:]
		}
		if len(run) == 0 {
			t.Errorf("readme.txtar does not run %q, or not in README's order", command)
		}
		count++
	}
	if count < 4 {
		t.Errorf("README's first page has %d commands of the program", count)
	}
}
