// Package present reports what exists at a path. It follows links. A path that cannot be
// examined counts as missing.
package present

import "os"

// Any reports whether the path exists.
func Any(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Folder reports whether the path is a folder.
func Folder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// File reports whether the path is a file: a regular file, pipe, socket or device.
func File(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
