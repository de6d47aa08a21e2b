package data

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Found is one picture that Scan found, or a path inside a folder that it could not read.
type Found struct {
	Path string // the given path, joined with the path inside a given folder
	Rel  string // path for its outputs, relative to the output folder; unique
	Err  error  // the read error; nil for a picture
}

// ScanOptions are Scan's options.
type ScanOptions struct {
	Skip  string                 // a folder that Scan does not enter, usually the output folder; it need not exist
	Apart func(path string) bool // reports whether to skip a folder, such as one with output pictures; may be nil
	Other func(path string)      // called for each file in a folder without a picture extension; may be nil
}

// InputError is the error for a path given to Scan that yields no picture.
type InputError struct {
	Path string
	Err  error
}

func (e *InputError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Scan lists the pictures of files and folders, in the given order. A given file may
// have any name: its content decides later. In a folder, Scan lists recursively every
// file with a picture extension, in natural order, and skips hidden files. It lists
// each file and folder once, however many links lead to it.
//
// A path that does not exist, cannot be read or contains no picture gives an
// *InputError; several are joined. An unreadable path inside a folder gives a Found
// with Err.
func Scan(ctx context.Context, paths []string, o ScanOptions) ([]Found, error) {
	if len(paths) == 0 {
		return nil, fmt.Errorf("%w: give at least one file or folder", ErrNoPictures)
	}
	s := scanner{other: o.Other, apart: o.Apart, seenFiles: map[string]bool{}, seenFolders: folderSet{}, byParent: map[string]int{}}
	if o.Skip != "" {
		s.skip, _ = os.Stat(o.Skip) // a folder that does not exist yet needs no skipping
	}
	var bad []error
	for _, path := range paths {
		if err := s.input(ctx, path); err != nil {
			if ctx.Err() != nil {
				return nil, fmt.Errorf("looking for pictures: %w", ctx.Err())
			}
			bad = append(bad, &InputError{Path: path, Err: err})
		}
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	if len(s.found) == 0 { // only links to their own folders
		return nil, &InputError{Path: paths[0], Err: ErrNoPictures}
	}
	s.name()
	return s.found, nil
}

// scanner is the state of one Scan.
type scanner struct {
	skip        os.FileInfo
	other       func(path string)
	apart       func(path string) bool
	seenFiles   map[string]bool // by their real paths
	seenFolders folderSet
	found       []Found
	groups      []scanGroup
	groupOf     []int          // the group of each found picture
	byParent    map[string]int // parent folder to the group of the files given from it
}

// scanGroup is a given folder, or the given files of one parent folder. Its members
// share a prefix if their relative paths would otherwise collide with another group's.
type scanGroup struct {
	base  string // the prefix
	meets bool
}

func (s *scanner) input(ctx context.Context, path string) error {
	if path == "" {
		return errors.New("an empty path")
	}
	info, err := os.Stat(path)
	if err != nil {
		return reason(err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return reason(err)
	}
	switch {
	case info.IsDir():
		return s.folder(ctx, path, real, info)
	case !info.Mode().IsRegular():
		return errNotRegular
	case s.seenFiles[real]:
		return nil
	}
	if err := readable(path); err != nil {
		return reason(err)
	}
	parent := filepath.Dir(absolute)
	group, ok := s.byParent[parent]
	if !ok {
		group = s.newGroup(parent)
		s.byParent[parent] = group
	}
	s.add(group, real, Found{Path: path, Rel: filepath.Base(absolute)})
	return nil
}

func (s *scanner) folder(ctx context.Context, path, real string, info os.FileInfo) error {
	if s.skip != nil && os.SameFile(info, s.skip) {
		return errors.New("this is the output folder; give the folder of the pictures")
	}
	if s.apart != nil && s.apart(path) {
		return errors.New("this is a folder with output of acdclip; give the folder of the pictures")
	}
	if _, err := os.ReadDir(path); err != nil {
		return reason(err)
	}
	group := s.newGroup(real)
	before, hadRepeats := len(s.found), false
	var unread []string
	w := walker{skip: s.skip, apart: s.apart, seen: s.seenFolders, wanted: isPicture}
	w.other = func(file string) {
		if format := UnreadFormat(file); format != "" {
			unread = append(unread, format)
		}
		if s.other != nil {
			s.other(file)
		}
	}
	w.picture = func(file, real string) {
		if s.seenFiles[real] {
			hadRepeats = true
			return
		}
		s.add(group, real, Found{Path: file, Rel: inside(path, file)})
	}
	w.failed = func(file string, err error) error {
		s.add(group, "", Found{Path: file, Rel: inside(path, file), Err: reason(err)})
		return nil
	}
	if err := w.enter(ctx, path, real); err != nil {
		return err
	}
	if len(s.found) == before && !hadRepeats && w.repeated == 0 {
		return nothing(unread)
	}
	return nil
}

// nothing returns the error for a folder without readable pictures; unread are the
// formats of its unsupported ones.
func nothing(unread []string) error {
	if len(unread) > 0 {
		return fmt.Errorf("%w in a supported format in this folder or below it, but %s", ErrNoPictures, UnreadText(unread))
	}
	return fmt.Errorf("%w in this folder or below it (%s)", ErrNoPictures, strings.ReplaceAll(strings.Join(pictureExtensions, ", "), ".", ""))
}

func (s *scanner) newGroup(folder string) int {
	base := filepath.Base(folder)
	if base == string(os.PathSeparator) {
		base = "root"
	}
	s.groups = append(s.groups, scanGroup{base: base})
	return len(s.groups) - 1
}

func (s *scanner) add(group int, real string, found Found) {
	if real != "" {
		s.seenFiles[real] = true
	}
	s.found = append(s.found, found)
	s.groupOf = append(s.groupOf, group)
}

// name makes the relative paths unique: groups whose paths collide get their folder's
// name as a prefix, with a number if needed.
func (s *scanner) name() {
	owner := make(map[string]int, len(s.found))
	members := make([][]int, len(s.groups))
	for i, found := range s.found {
		group := s.groupOf[i]
		members[group] = append(members[group], i)
		if other, taken := owner[found.Rel]; taken {
			s.groups[other].meets, s.groups[group].meets = true, true
		}
		owner[found.Rel] = group
	}
	taken := make(map[string]bool, len(s.found))
	for i, found := range s.found {
		if !s.groups[s.groupOf[i]].meets {
			taken[found.Rel] = true
		}
	}
	next := map[string]int{}
	for g, group := range s.groups {
		if group.meets {
			s.prefix(members[g], group.base, taken, next)
		}
	}
}

// prefix adds a folder's name before the relative paths of one group's members.
func (s *scanner) prefix(members []int, base string, taken map[string]bool, next map[string]int) {
	for {
		next[base]++
		folder := base
		if next[base] > 1 {
			folder += "-" + strconv.Itoa(next[base])
		}
		free := true
		for _, i := range members {
			free = free && !taken[filepath.Join(folder, s.found[i].Rel)]
		}
		if !free {
			continue
		}
		for _, i := range members {
			s.found[i].Rel = filepath.Join(folder, s.found[i].Rel)
			taken[s.found[i].Rel] = true
		}
		return
	}
}

// readable checks that a file can be opened.
func readable(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return file.Close()
}

// inside returns file's path relative to the given folder, which is a prefix of file.
func inside(given, file string) string {
	rel, err := filepath.Rel(given, file)
	if err != nil {
		return filepath.Base(file)
	}
	return rel
}

// reason returns a file system error without its path, which the caller adds.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
