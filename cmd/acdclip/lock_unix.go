//go:build unix

package main

import (
	"errors"
	"os"
	"syscall"
)

var errInUse = errors.New("another acdclip is writing there")

// lockFile takes a file for this process until it is closed, however that
// happens. A file system without locks is no error.
func lockFile(file *os.File) error {
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return errInUse
	}
	return nil
}
