package rundir

import (
	"errors"
	"syscall"
)

// knowsNoLocks reports whether an error means that the file system does not support locks.
func knowsNoLocks(err error) bool {
	return errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.ENOSYS) || errors.Is(err, errors.ErrUnsupported)
}

func isNotFolder(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
