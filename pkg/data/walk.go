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

// isHidden reports whether a file or folder name is always skipped: dot files
// (including macOS's ._ files), the folder __MACOSX that macOS adds to zip files,
// lost+found, the unreadable folder at the root of Linux file systems, and @eaDir, in which
// network storage keeps thumbnails.
func isHidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.EqualFold(name, "__MACOSX") || name == "lost+found" || name == "@eaDir"
}

// stem returns a file's name without its last extension.
func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// folderSet is a set of folders by their real paths, so that a folder reached through
// several links counts once.
type folderSet map[string]bool

// walker lists the pictures below folders. It follows links and enters each real
// folder once, so loops of links end.
type walker struct {
	closed   folderSet              // folders not to enter; may be nil
	skip     os.FileInfo            // one more folder not to enter; may be nil
	apart    func(path string) bool // reports whether the caller handles this folder, which is then not entered; may be nil
	seen     folderSet              // folders already entered
	repeated int                    // number of times that a folder was reached again

	wanted  func(name string) bool             // reports whether a file is a picture, by its name
	picture func(path, real string)            // called for each picture; real is its path without links
	failed  func(path string, err error) error // called for each unreadable path; a returned error ends the walk
	other   func(path string)                  // called for each file that is not wanted; may be nil
}

// walk lists the tree below root. It enters root even if root is closed.
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
			return nil // a dead link without a picture's name
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

// readFolder lists a folder without hidden names, in natural order.
func readFolder(path string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(path)
	entries = slices.DeleteFunc(entries, func(entry fs.DirEntry) bool { return isHidden(entry.Name()) })
	sortNatural(entries)
	return entries, err
}

// readFolders lists the subfolders of a folder without hidden ones, including links to
// folders, in natural order. It is fast for folders with very many files.
func readFolders(path string) ([]fs.DirEntry, error) {
	folder, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY, 0) // opening a pipe would block
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	var folders []fs.DirEntry
	for {
		const few = 1024 // os.ReadDir would also keep and sort all files
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

// isFolder reports whether an entry of parent is a folder or a link to one.
func isFolder(parent string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return entry.IsDir()
	}
	return present.Folder(filepath.Join(parent, entry.Name()))
}

// subfolder finds a subfolder by its exact name, else ignoring case.
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

// compareNatural compares names in natural order: numbers by value ("2" before
// "10"), everything else by bytes.
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
	return strings.Compare(a, b) // they are equal except for leading zeros
}

// cutNumber splits s after its leading digits and removes their leading zeros.
func cutNumber(s string) (digits, rest string) {
	end := 0
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	return strings.TrimLeft(s[:end], "0"), s[end:]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// countNamed formats the number of names and the first few of them: "3 (a, b, ...)".
func countNamed(names []string) string {
	const few = 5
	if len(names) <= few {
		return fmt.Sprintf("%d (%s)", len(names), strings.Join(names, ", "))
	}
	return fmt.Sprintf("%d (%s, ...)", len(names), strings.Join(names[:few], ", "))
}
