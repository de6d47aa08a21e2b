// Package atomicfile writes files that appear whole or not at all.
package atomicfile

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Write writes the file at path through write, whole or not at all: what
// was there before stays until the new content is on the disk (a temporary
// file beside it, fsync, rename). On an error nothing is left behind.
func Write(path string, write func(io.Writer) error) error {
	file, err := renameio.NewPendingFile(path,
		renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	defer file.Cleanup() // does nothing once the file is in place
	buffered := bufio.NewWriterSize(file, 1<<16)
	if err := write(buffered); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
