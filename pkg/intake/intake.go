// Package intake finds pictures that appear in a folder. It is pure Go.
package intake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"acdclip/pkg/data"
	"acdclip/pkg/report"
)

// Picture is a picture that was found, and the version of its file.
type Picture struct {
	data.Found
	Mark report.FileMark // zero if the file is gone
}

// Marked notes the versions of pictures.
func Marked(found []data.Found) []Picture {
	list := make([]Picture, len(found))
	for i, picture := range found {
		list[i].Found = picture
		if info, err := os.Stat(picture.Path); err == nil {
			list[i].Mark = report.MarkOf(info)
		}
	}
	return list
}

// ErrNotFolder reports a path to watch that is no folder.
var ErrNotFolder = errors.New("it is not a folder")

// pause is the time between two looks at a folder.
const pause = time.Second

// Folder is a folder to watch, with its subfolders.
type Folder struct {
	Path  string
	Skip  string                 // a folder in it that is not entered; "" for none
	Apart func(path string) bool // reports whether not to enter a folder; may be nil

	// Unsupported is told once of each picture in a format that is not supported; may be nil.
	Unsupported func(path, format string)

	Pause time.Duration // between two looks; 0: 1 s
}

// Check returns an error if the path is no folder.
func (f Folder) Check() error {
	info, err := os.Stat(f.Path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: %w", f.Path, ErrNotFolder)
	}
	return nil
}

// Watch looks at the folder again and again, until ctx ends. After each look it calls ready with
// all pictures that are complete, in the order of data.Scan: those whose size and time of change
// are what they were at the last look, so that no half-written file is read. Which of them are
// new, the caller knows. An error of ready, or of a look, ends the watch and is returned; the end
// of ctx is no error.
func (f Folder) Watch(ctx context.Context, ready func([]Picture) error) error {
	wait := f.Pause
	if wait == 0 {
		wait = pause
	}
	told := map[string]bool{}
	before := map[string]report.FileMark{}
	for {
		found, err := data.Scan(ctx, []string{f.Path}, f.scan(told))
		if err != nil && !errors.Is(err, data.ErrNoPictures) {
			return ended(ctx, err)
		}
		now := make(map[string]report.FileMark, len(found))
		var complete []Picture
		for _, picture := range Marked(found) {
			now[picture.Path] = picture.Mark
			if mark, seen := before[picture.Path]; seen && mark == picture.Mark {
				complete = append(complete, picture)
			}
		}
		before = now
		if err := ready(complete); err != nil {
			return ended(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// scan is how to look, with what was told of at earlier looks.
func (f Folder) scan(told map[string]bool) data.ScanOptions {
	return data.ScanOptions{Skip: f.Skip, Apart: f.Apart, Other: func(path string) {
		format := data.UnreadFormat(path)
		if format == "" || told[path] || f.Unsupported == nil {
			return
		}
		told[path] = true
		f.Unsupported(path, format)
	}}
}

// ended returns nil for an error whose cause is that ctx ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
