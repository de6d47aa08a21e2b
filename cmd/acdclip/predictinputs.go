package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"acdclip/internal/rundir"
	"acdclip/pkg/data"
	"acdclip/pkg/events"
	"acdclip/pkg/plural"
)

// maxPath is the largest length of a path in --files-from, in bytes.
const maxPath = 1 << 16

// paths returns the pictures and folders to score: the arguments, with patterns replaced by
// what they match, and the lines of --files-from.
func (o *predictOptions) paths() ([]string, error) {
	var list []string
	for _, argument := range o.inputs {
		matches, err := matching(argument)
		if err != nil {
			return nil, err
		}
		list = append(list, matches...)
	}
	if o.filesFrom == "" {
		return list, nil
	}
	listed, err := o.listed()
	if err != nil {
		return nil, fmt.Errorf("--files-from %s: %w", o.filesFrom, err)
	}
	if list = append(list, listed...); len(list) == 0 {
		return nil, fmt.Errorf("--files-from %s: the list is empty", o.filesFrom)
	}
	return list, nil
}

// matching returns what a pattern such as photos/*.jpg matches, or the path itself if it is
// there or no pattern.
func matching(path string) ([]string, error) {
	if !strings.ContainsAny(path, "*?[") {
		return []string{path}, nil
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return []string{path}, nil
	}
	matches, err := filepath.Glob(path)
	switch {
	case err != nil:
		return nil, usagef("%s: %w", path, err)
	case matches == nil:
		return nil, usagef("%s: no file matches the pattern", path)
	}
	return matches, nil
}

// listed reads --files-from.
func (o *predictOptions) listed() ([]string, error) {
	input := io.Reader(os.Stdin)
	if o.filesFrom != standardIn {
		file, err := os.Open(o.filesFrom)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		input = file
	}
	return readPaths(input, o.null)
}

// readPaths reads one path a line, or paths that end with NUL. Empty lines are skipped.
func readPaths(r io.Reader, null bool) ([]string, error) {
	end := byte('\n')
	if null {
		end = 0
	}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxPath)
	scanner.Split(func(text []byte, last bool) (int, []byte, error) {
		if at := bytes.IndexByte(text, end); at >= 0 {
			return at + 1, text[:at], nil
		}
		if last && len(text) > 0 {
			return len(text), text, nil
		}
		return 0, nil, nil
	})
	var paths []string
	for number := 1; scanner.Scan(); number++ {
		path := scanner.Text()
		if !null {
			path = strings.TrimSuffix(path, "\r")
			if strings.ContainsRune(path, 0) {
				return nil, fmt.Errorf("line %d has a NUL character; give --null for a list of paths that end with NUL", number)
			}
		}
		if path != "" {
			paths = append(paths, path)
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("a path is longer than %d bytes; is it a list of paths?", maxPath)
	}
	return paths, scanner.Err()
}

// scan lists the pictures. The number of pictures in formats that are not supported counts as failed.
func (o *predictOptions) scan(ctx context.Context) (pictures []data.Found, unsupported int, err error) {
	paths, err := o.paths()
	if err != nil {
		return nil, 0, err
	}
	return o.app.scanPictures(ctx, paths, o.outputFolder())
}

// outputFolder is the folder of --out; "" for stdout.
func (o *predictOptions) outputFolder() string {
	if o.out == standardOut {
		return ""
	}
	return o.out
}

// scanPictures lists the pictures of files and folders, but not those in the folder out and
// other folders with output, and says what it skips. unsupported is the number of pictures in
// formats that are not supported.
func (a *app) scanPictures(ctx context.Context, paths []string, out string) (pictures []data.Found, unsupported int, err error) {
	var others, unread, formats, apart []string
	found, err := data.Scan(ctx, paths, data.ScanOptions{
		Skip: out,
		Other: func(path string) {
			if format := data.UnreadFormat(path); format != "" {
				unread, formats = append(unread, filepath.Base(path)), append(formats, format)
				return
			}
			others = append(others, filepath.Base(path))
		},
		Apart: func(path string) bool {
			if !rundir.IsOutput(path) {
				return false
			}
			apart = append(apart, path)
			return true
		},
	})
	if err != nil {
		return nil, 0, err
	}
	if len(unread) > 0 {
		a.emit(events.Warning{Text: fmt.Sprintf("%s (%s)", data.UnreadText(formats), plural.Few(unread))})
	}
	if len(others) > 0 {
		a.emit(events.Notice{Text: fmt.Sprintf("skipped %s without a picture extension: %s",
			plural.Of(len(others), "file", "files"), plural.Few(others))})
	}
	if len(apart) > 0 {
		a.emit(events.Notice{Text: fmt.Sprintf("skipped %s with output of acdclip: %s", plural.Of(len(apart), "folder", "folders"), plural.Few(apart))})
	}
	return found, len(unread), nil
}
