package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// outputFolder is a folder that a verb writes.
type outputFolder struct {
	path  string
	kind  string           // what it is called in messages
	files []*regexp.Regexp // the files that the verb puts there, by name
	trees []outputTree     // the folders that the verb puts there

	resumable bool // the verb has --resume
}

// outputTree is a folder inside an output folder, with files of few kinds.
type outputTree struct {
	name       string
	extensions []string
}

// pngTrees are folders full of PNG pictures.
func pngTrees(names ...string) []outputTree {
	var trees []outputTree
	for _, name := range names {
		trees = append(trees, outputTree{name, []string{".png"}})
	}
	return trees
}

// fileNames makes the patterns of files; one that was being written when the
// program died is called .NAME and a number.
func fileNames(patterns ...string) []*regexp.Regexp {
	var list []*regexp.Regexp
	for _, pattern := range patterns {
		list = append(list, regexp.MustCompile(`^(`+pattern+`|\.`+pattern+`\d+)$`))
	}
	return list
}

// check refuses a folder that is not empty, unless it may be overwritten and
// holds nothing but what the verb writes. It changes nothing.
func (f outputFolder) check(overwrite bool) error {
	if f.path == "" {
		return usagef("--out is empty")
	}
	entries, err := os.ReadDir(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usageError{fmt.Errorf("the %s cannot be used: %w", f.kind, err)}
	case len(entries) == 0:
		return nil
	case !overwrite && f.resumable:
		return usagef("the %s %s is not empty; --resume goes on with what is there, --overwrite replaces it, --out names another", f.kind, f.path)
	case !overwrite:
		return usagef("the %s %s is not empty; give another with --out, or --overwrite to replace what is there", f.kind, f.path)
	}
	for _, entry := range entries {
		if foreign := f.foreign(entry); foreign != "" {
			return usagef("the %s %s holds %s, which acdclip did not write: --overwrite replaces only its own files; give another with --out", f.kind, f.path, foreign)
		}
	}
	return nil
}

// probeName begins the names of the files that probe makes.
const probeName = ".probe"

// foreign names what is not the verb's own in an entry of the folder, "" for nothing.
func (f outputFolder) foreign(entry fs.DirEntry) string {
	for _, pattern := range append(fileNames(`\`+probeName), f.files...) {
		if entry.Type().IsRegular() && pattern.MatchString(entry.Name()) {
			return ""
		}
	}
	for _, tree := range f.trees {
		if entry.IsDir() && entry.Name() == tree.name {
			return tree.foreign(f.path)
		}
	}
	return entry.Name()
}

// foreign finds a file of another kind in the tree, which lies in root.
func (t outputTree) foreign(root string) string {
	foreign, tree := "", filepath.Join(root, t.name)
	err := filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		stem := strings.TrimRight(entry.Name(), "0123456789") // a temporary file ends in a number
		if entry.IsDir() || entry.Type().IsRegular() && slices.Contains(t.extensions, filepath.Ext(stem)) {
			return nil
		}
		foreign = path
		return filepath.SkipAll
	})
	if err != nil {
		return tree
	}
	if inside, err := filepath.Rel(root, foreign); err == nil && foreign != "" {
		return inside
	}
	return foreign
}

// probe finds out whether files can be written into the folder, and leaves it as it was.
func (f outputFolder) probe() error {
	_, err := os.Stat(f.path)
	absent := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(f.path, 0o755); err != nil {
		return fmt.Errorf("creating the %s: %w", f.kind, err)
	}
	if absent {
		defer os.Remove(f.path) // only while it is empty
	}
	file, err := os.CreateTemp(f.path, probeName)
	if err != nil {
		return fmt.Errorf("writing into the %s: %w", f.kind, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}

// create makes the folder and removes what check let pass in it.
func (f outputFolder) create() error {
	if err := os.MkdirAll(f.path, 0o755); err != nil {
		return fmt.Errorf("creating the %s: %w", f.kind, err)
	}
	return f.clear(func(string) bool { return true })
}

// clear removes those of the verb's own files and folders that unwanted chooses by name.
func (f outputFolder) clear(unwanted func(name string) bool) error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return fmt.Errorf("clearing the %s: %w", f.kind, err)
	}
	for _, entry := range entries {
		if f.foreign(entry) != "" || !unwanted(entry.Name()) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(f.path, entry.Name())); err != nil {
			return fmt.Errorf("clearing the %s: %w", f.kind, err)
		}
	}
	return nil
}
