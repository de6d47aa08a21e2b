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

// Found is one picture that Scan found, or a place in a folder that it could not read.
type Found struct {
	Path string // as the caller gave it, joined with the way inside a folder
	Rel  string // where its outputs go below the output folder; no two are equal
	Err  error  // why it cannot be read; nil for a picture
}

// ScanOptions are Scan's options.
type ScanOptions struct {
	Skip  string            // a folder that is not entered, the output folder as a rule; it need not exist
	Other func(path string) // is told of each file in a folder whose name has no picture's extension; may be nil
}

// InputError is a path given to Scan that gives no picture.
type InputError struct {
	Path string
	Err  error
}

func (e *InputError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *InputError) Unwrap() error { return e.Err }

// Scan lists the pictures of files and folders, in the order given. A file is
// taken whatever its name says: its content decides later. A folder is walked:
// every file with a picture's extension, in natural order, hidden ones skipped.
// Each file and each folder comes once, however many links lead to it.
//
// A path that is missing, cannot be read or holds no picture is an *InputError;
// several are joined. What cannot be read inside a folder is a Found with Err.
func Scan(ctx context.Context, paths []string, o ScanOptions) ([]Found, error) {
	if len(paths) == 0 {
		return nil, fmt.Errorf("%w: no file and no folder was given", ErrNoPictures)
	}
	s := scanner{other: o.Other, seenFiles: map[string]bool{}, seenFolders: folderSet{}, byParent: map[string]int{}}
	if o.Skip != "" {
		s.skip, _ = os.Stat(o.Skip) // one that is not there yet cannot be entered
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
	if len(s.found) == 0 { // links that lead back to where they lie, and nothing else
		return nil, &InputError{Path: paths[0], Err: ErrNoPictures}
	}
	s.name()
	return s.found, nil
}

// scanner carries what is known while inputs are scanned.
type scanner struct {
	skip        os.FileInfo
	other       func(path string)
	seenFiles   map[string]bool // by their real paths
	seenFolders folderSet
	found       []Found
	groups      []scanGroup
	groupOf     []int          // the group of each found
	byParent    map[string]int // the group of the files given from one folder
}

// scanGroup is a folder given, or the files given from one folder: what shares
// a prefix when relative paths alone would meet.
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
		return errors.New("this is the output folder: give the folder of the pictures")
	}
	if _, err := os.ReadDir(path); err != nil {
		return reason(err)
	}
	group := s.newGroup(real)
	before, hadRepeats := len(s.found), false
	var unread []string
	w := walker{skip: s.skip, seen: s.seenFolders, wanted: isPicture}
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

// nothing says that a folder holds no picture that can be read, only others of
// these formats, if any.
func nothing(unread []string) error {
	if len(unread) > 0 {
		return fmt.Errorf("%w that can be read in this folder or below it, but %s", ErrNoPictures, UnreadText(unread))
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

// name makes the relative paths differ: the groups whose paths meet get their
// folder's name in front, with a number where that is not enough.
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

// prefix puts a folder's name before the relative paths of one group's members.
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

// readable opens a file and closes it again.
func readable(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return file.Close()
}

// inside is file's way below the folder given, of which its path was joined.
func inside(given, file string) string {
	rel, err := filepath.Rel(given, file)
	if err != nil {
		return filepath.Base(file)
	}
	return rel
}

// reason is an error of the file system without its path, which the caller names.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
