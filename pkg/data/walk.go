package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"acdclip/pkg/present"
)

// isHidden reports whether a name is never looked at: dot files (macOS's ._
// twins among them), the folder that macOS puts into zip files, and the one
// that a Linux disk has at its top for nobody to read.
func isHidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.EqualFold(name, "__MACOSX") || name == "lost+found"
}

// stem is a file's name without its last extension.
func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// folderSet holds folders by their real paths, so that one folder reached
// through several links is one.
type folderSet map[string]bool

// walker lists the pictures below folders, links followed, and enters each
// real folder once: a link that leads back into the tree ends there.
type walker struct {
	closed   folderSet              // folders that are not entered although they are reached; may be nil
	skip     os.FileInfo            // one more such folder; may be nil
	apart    func(path string) bool // takes folders that are not entered, by their names; may be nil
	seen     folderSet              // folders that were entered
	repeated int                    // how often a folder was reached again

	wanted  func(name string) bool             // whether a file's name is a picture's
	picture func(path, real string)            // a picture, and its path without links
	failed  func(path string, err error) error // something that cannot be read; a returned error ends the walk
	other   func(path string)                  // a file that is not wanted; may be nil
}

// walk lists the tree below root, which is itself entered even when it is closed.
func (w *walker) walk(ctx context.Context, root string) error {
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return w.failed(root, err)
	}
	return w.enter(ctx, root, real)
}

func (w *walker) enter(ctx context.Context, path, real string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.seen[real] {
		w.repeated++
		return nil
	}
	w.seen[real] = true
	entries, err := readFolder(path)
	if err != nil {
		if err := w.failed(path, err); err != nil {
			return err
		}
	}
	for _, entry := range entries {
		if err := w.entry(ctx, entry, filepath.Join(path, entry.Name()), filepath.Join(real, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(ctx context.Context, entry fs.DirEntry, path, real string) error {
	mode := entry.Type()
	linked := mode&fs.ModeSymlink != 0
	if linked {
		info, err := os.Stat(path)
		if err == nil {
			real, err = filepath.EvalSymlinks(real) // not path, which may be relative
		}
		if err != nil {
			if w.wanted(path) || errors.Is(err, fs.ErrPermission) {
				return w.failed(path, err)
			}
			return nil // a dead link that never was a picture
		}
		mode = info.Mode().Type()
	}
	switch {
	case mode.IsDir():
		if w.shut(path, real) || w.apart != nil && w.apart(path) {
			return nil
		}
		return w.enter(ctx, path, real)
	case !w.wanted(path):
		if w.other != nil {
			w.other(path)
		}
		return nil
	case !mode.IsRegular():
		return w.failed(path, errNotRegular)
	}
	w.picture(path, real)
	return nil
}

func (w *walker) shut(path, real string) bool {
	if w.closed[real] {
		return true
	}
	if w.skip == nil {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && os.SameFile(info, w.skip)
}

var errNotRegular = errors.New("neither a file nor a folder")

// readFolder lists what is not hidden in a folder, in natural order.
func readFolder(path string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(path)
	entries = slices.DeleteFunc(entries, func(entry fs.DirEntry) bool { return isHidden(entry.Name()) })
	sortNatural(entries)
	return entries, err
}

// readFolders lists the folders that are not hidden in a folder, links to folders
// among them, in natural order. It is quick where a folder holds very many files.
func readFolders(path string) ([]fs.DirEntry, error) {
	folder, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY, 0) // a pipe would be waited for
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	var folders []fs.DirEntry
	for {
		const few = 1024 // os.ReadDir would hold and sort all files too
		entries, err := folder.ReadDir(few)
		for _, entry := range entries {
			if !isHidden(entry.Name()) && isFolder(path, entry) {
				folders = append(folders, entry)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	sortNatural(folders)
	return folders, nil
}

func sortNatural(entries []fs.DirEntry) {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return compareNatural(a.Name(), b.Name()) })
}

// isFolder reports whether an entry of the folder at parent is a folder, or a link to one.
func isFolder(parent string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.IsDir()
	}
	return present.Folder(filepath.Join(parent, entry.Name()))
}

// subfolder finds one of a folder's folders by its name, in any case where none has it exactly.
func subfolder(parent string, folders []fs.DirEntry, name string) (string, bool) {
	found := ""
	for _, entry := range folders {
		switch {
		case !strings.EqualFold(entry.Name(), name):
		case entry.Name() == name:
			return filepath.Join(parent, name), true
		case found == "":
			found = filepath.Join(parent, entry.Name())
		}
	}
	return found, found != ""
}

// compareNatural orders names as a person does: numbers in them by value
// ("2" before "10"), everything else by its bytes.
func compareNatural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		if isDigit(x[0]) && isDigit(y[0]) {
			var m, n string
			m, x = cutNumber(x)
			n, y = cutNumber(y)
			if len(m) != len(n) {
				return len(m) - len(n)
			}
			if m != n {
				return strings.Compare(m, n)
			}
			continue
		}
		if x[0] != y[0] {
			return int(x[0]) - int(y[0])
		}
		x, y = x[1:], y[1:]
	}
	if len(x) != len(y) {
		return len(x) - len(y)
	}
	return strings.Compare(a, b) // they differ in leading zeros at most
}

// cutNumber splits s after its leading digits, which lose their zeros.
func cutNumber(s string) (digits, rest string) {
	end := 0
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	return strings.TrimLeft(s[:end], "0"), s[end:]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// countNamed writes a count and the first few of the names counted: "3 (a, b, ...)".
func countNamed(names []string) string {
	const few = 5
	if len(names) <= few {
		return fmt.Sprintf("%d (%s)", len(names), strings.Join(names, ", "))
	}
	return fmt.Sprintf("%d (%s, ...)", len(names), strings.Join(names[:few], ", "))
}
