package main

import (
	"os"
	"path/filepath"
)

// sameFolder says whether two paths are of one folder.
func sameFolder(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// liesIn says whether path lies in a folder, links followed.
func liesIn(path, folder string) bool {
	path, err := withoutLinks(path)
	if err != nil {
		return false
	}
	if folder, err = withoutLinks(folder); err != nil {
		return false // a folder that is not there yet holds nothing
	}
	inside, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(inside)
}

// keepsInputs refuses to overwrite a folder that an input lies in.
func keepsInputs(out string, overwrite bool, inputs []string) error {
	for _, input := range inputs {
		if overwrite && input != "" && liesIn(input, out) {
			return usagef("--overwrite would delete the input %s in the output folder %s; give another folder with --out", input, out)
		}
	}
	return nil
}

// withoutLinks is the absolute path of what is there, without symbolic links.
func withoutLinks(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(absolute)
}

// absolutePath is path from the root, or path itself where the current folder is gone.
func absolutePath(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}
