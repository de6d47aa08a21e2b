// Package present says what lies at a path. Links are followed, and what cannot
// be looked at is not there.
package present

import "os"

// Any says whether there is anything.
func Any(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Folder says whether there is a folder.
func Folder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// File says whether there is a file: a regular one or a pipe, a socket or a device.
func File(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
