// Package atomicfile writes files that appear whole or not at all.
package atomicfile

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// ErrNotFile reports a path at which something lies that is no file and must not be replaced by one.
var ErrNotFile = errors.New("not a file that can be replaced")

// Check says why nothing can be written at path, as far as that can be told
// without writing: its folder is missing, or a folder, pipe or device lies there.
func Check(path string) error {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("writing %s: its folder: %w", path, err)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("writing %s: %w", path, ErrNotFile)
	}
	return nil
}

// Write writes the file at path through write, whole or not at all: what
// was there before stays until the new content is on the disk (a temporary
// file beside it, fsync, rename), and what Write returned for is there even after a
// power cut. On an error nothing is left behind. A link is followed. What is no
// regular file is ErrNotFile and stays.
func Write(path string, write func(io.Writer) error) error { return WriteFrom("", path, write) }

// WriteFrom is Write with the temporary file in a folder of the same file system;
// "" is path's own.
func WriteFrom(folder, path string, write func(io.Writer) error) error {
	path, file, err := begin(folder, path, write)
	if err != nil {
		return err
	}
	defer file.Cleanup() // does nothing once the file is in place
	err = file.CloseAtomicallyReplace()
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// WriteQuickly is WriteFrom for files that can be made again: it does not wait until
// the content is on the disk, so a power cut may lose the file or leave it empty.
// Whoever reads while the program runs, or after it was killed, finds it whole.
func WriteQuickly(folder, path string, write func(io.Writer) error) error {
	path, file, err := begin(folder, path, write)
	if err != nil {
		return err
	}
	err = file.Close()
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// begin writes the content into a temporary file in folder, or beside path, whose
// links it follows. The caller puts the file in place or cleans it up.
func begin(folder, path string, write func(io.Writer) error) (target string, file *renameio.PendingFile, err error) {
	if err := Check(path); err != nil {
		return path, nil, err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	file, err = renameio.NewPendingFile(path,
		renameio.WithTempDir(cmp.Or(folder, filepath.Dir(path))), renameio.WithPermissions(0o644))
	if err != nil {
		return path, nil, fmt.Errorf("creating %s: %w", path, err)
	}
	buffered := bufio.NewWriterSize(file, 1<<16)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return path, nil, errors.Join(fmt.Errorf("writing %s: %w", path, err), file.Cleanup())
	}
	return path, file, nil
}

// syncFolder brings the names in a folder to the disk, so that files that were
// written one after the other are found so after a power cut. Where the folder may
// not be read, or its file system cannot do it, the order is left to the system.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err == nil {
		err = errors.Join(folder.Sync(), folder.Close())
	}
	for _, cannot := range []error{fs.ErrPermission, syscall.EINVAL, errors.ErrUnsupported} {
		if errors.Is(err, cannot) {
			return nil
		}
	}
	return err
}
