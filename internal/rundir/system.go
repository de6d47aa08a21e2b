package rundir

import (
	"errors"
	"syscall"
)

// knowsNoLocks says that a file system cannot lock files.
func knowsNoLocks(err error) bool {
	return errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, errors.ErrUnsupported)
}

func isNotFolder(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
