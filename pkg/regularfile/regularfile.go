// Package regularfile opens files to be read, and refuses at once what is no
// regular file: opening a pipe waits for its writer, and opening a device may do
// something to it.
package regularfile

import (
	"io"
	"os"
	"syscall"
)

// OtherError reports a path at which something else than a regular file lies.
type OtherError struct {
	Path string
	Kind string // what lies there, in words: "a folder", "a pipe", "a socket" or "a device"
}

// Error reads "path: not a regular file: it is a pipe".
func (e *OtherError) Error() string { return e.Path + ": not a regular file: it is " + e.Kind }

// Stat is os.Stat for a regular file; what is none is an *OtherError. Links are followed.
func Stat(path string) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	return info, check(path, info)
}

// Open opens the regular file at path to be read, and says what the open file
// is. It never waits. What is no regular file is an *OtherError and is not
// opened; other errors are os.Open's. The caller closes the file.
func Open(path string) (*os.File, os.FileInfo, error) {
	if info, err := os.Stat(path); err == nil { // where it fails, opening does too
		if err := check(path, info); err != nil {
			return nil, nil, err
		}
	}
	// Another thing may have come to the path meanwhile: still do not wait, and look again.
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

// Head reads the regular file at path, and no more of it than limit bytes: who
// wants a whole file of bounded size asks for a byte more than the bound. Errors
// are Open's and those of reading.
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
