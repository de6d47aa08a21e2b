// Package atomicfile writes files atomically: completely or not at all.
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

// ErrNotFile reports an existing path that is not a regular file and so is not replaced.
var ErrNotFile = errors.New("not a regular file, so it is not replaced")

// Check returns an error if Write would fail for a reason that is visible without
// writing: the path's folder does not exist, or the path is a folder, pipe or device.
func Check(path string) error {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("writing %s: its folder: %w", path, err)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("writing %s: %w", path, ErrNotFile)
	}
	return nil
}

// Write writes the file at path atomically with the output of write: an existing file
// stays until the new content is on disk (a temporary file beside it, fsync, rename).
// After Write returns nil, the file survives a power cut; after an error, no temporary
// file remains. Write follows links. If path is not a regular file, the error is
// ErrNotFile and path stays.
func Write(path string, write func(io.Writer) error) error { return WriteFrom("", path, write) }

// WriteFrom is Write with the temporary file in folder, which must be on the same file
// system; "" means path's folder.
func WriteFrom(folder, path string, write func(io.Writer) error) error {
	path, file, err := begin(folder, path, write)
	if err != nil {
		return err
	}
	defer file.Cleanup() // does nothing after the rename
	err = file.CloseAtomicallyReplace()
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// WriteQuickly is WriteFrom without fsync, for files that can be recreated: a power cut may
// lose the file or leave it empty. Readers always find a complete file while the program
// runs and after it was killed.
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

// Rename gives a file that is complete and synced another name in the same file system,
// and replaces a file of that name. After it returns nil, the name survives a power cut.
func Rename(from, to string) error {
	err := os.Rename(from, to)
	if err == nil {
		err = syncFolder(filepath.Dir(to))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", to, err)
	}
	return nil
}

// begin writes the content to a temporary file in folder, or beside path, and follows
// path's links. The caller must rename the file to target or clean it up.
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

// syncFolder syncs a folder's entries, so that files keep their order of writing across a
// power cut. It does nothing if the folder is not readable or its file system does not
// support it.
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
