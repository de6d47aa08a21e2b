package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"acdclip/pkg/regularfile"
)

// Hold locks the making of a file until the lock is closed. It waits for another process
// that holds the lock, and says so by notice. A file system without locks is not an error.
// Missing folders are created. The lock's file, path.lock, stays: a process that waits for
// it would else hold a file that nobody else finds.
func Hold(ctx context.Context, path string, notice func(string)) (io.Closer, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("creating a folder for %s: %w", path, err)
	}
	name := path + ".lock"
	if _, err := regularfile.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // opening a pipe would block
		return nil, fmt.Errorf("locking the download: %w", err)
	}
	lock := flock.New(name, flock.SetPermissions(0o644))
	taken, err := lock.TryLock()
	if err == nil && !taken {
		notice("another program is downloading " + path + "; waiting for it")
		_, err = lock.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil && !knowsNoLocks(err) {
		return nil, errors.Join(fmt.Errorf("locking the download of %s: %w", path, err), lock.Close())
	}
	return lock, nil
}

// knowsNoLocks reports whether an error means that the file system does not support locks.
func knowsNoLocks(err error) bool {
	return errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, errors.ErrUnsupported)
}
