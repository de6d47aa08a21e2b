// Package regularfile opens files for reading and returns an error at once for anything
// but a regular file: opening a pipe would block until it has a writer, and opening a
// device may have side effects.
package regularfile

import (
	"io"
	"os"
	"syscall"
)

// OtherError reports an existing path that is not a regular file.
type OtherError struct {
	Path string
	Kind string // "a folder", "a pipe", "a socket", "a device" or "a special file"
}

// Error returns a text such as "path: not a regular file: it is a pipe".
func (e *OtherError) Error() string { return e.Path + ": not a regular file: it is " + e.Kind }

// Stat is os.Stat for a regular file; anything else gives an *OtherError. It follows links.
func Stat(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return info, check(path, info)
}

// Open opens the regular file at path for reading and returns its FileInfo. It never
// blocks. A path that is not a regular file gives an *OtherError; other errors are
// os.Open's. The caller must close the file.
func Open(path string) (*os.File, os.FileInfo, error) {
	if info, err := os.Stat(path); err == nil { // if it fails, opening fails too
		if err := check(path, info); err != nil {
			return nil, nil, err
		}
	}
	// The path may have changed meanwhile, so open without blocking and check again.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil {
		err = check(path, info)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// Head reads at most the first limit bytes of the regular file at path. To detect a file
// above a maximum size, give that maximum plus one. Errors are Open's and read errors.
func Head(path string, limit int64) ([]byte, error) {
	file, _, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}

func check(path string, info os.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return &OtherError{Path: path, Kind: kind(info.Mode())}
}

func kind(mode os.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&os.ModeNamedPipe != 0:
		return "a pipe"
	case mode&os.ModeSocket != 0:
		return "a socket"
	case mode&os.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}
