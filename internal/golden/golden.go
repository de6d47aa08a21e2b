// Package golden finds the folders of expected numbers that tests compare with.
package golden

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"acdclip/pkg/present"
)

// Variable names the environment variable that points tests at another folder of golden data.
const Variable = "ACDCLIP_GOLDEN"

// Folder is one folder of golden data, laid out as scripts/reference writes it.
type Folder struct {
	Name string // "own", "shared" or "given": the subtest's name
	Path string
}

// Run runs test as a subtest on each folder of golden data that holds all the
// needed files: the project's own small folder, and the full one beside the
// checkout or the one that Variable names. A full folder that lacks a file
// skips its subtest by that file's name; under CI the folder beside the
// checkout must be complete. Run fails when Variable names no folder.
func Run(t *testing.T, needs []string, test func(t *testing.T, folder Folder)) {
	t.Helper()
	ran := false
	for _, folder := range folders(t) {
		missing := folder.missing(needs)
		if missing != "" && folder.Name == "own" {
			continue // the small folder holds a chosen part
		}
		ran = true
		t.Run(folder.Name, func(t *testing.T) {
			switch {
			case missing == "":
				test(t, folder)
			case folder.Name == "shared" && os.Getenv("CI") == "true":
				t.Fatalf("%s has no %s", folder.Path, missing)
			default:
				t.Skipf("%s has no %s", folder.Path, missing)
			}
		})
	}
	if !ran {
		t.Skipf("no golden data with %v: neither beside the checkout nor in the project's own folder", needs)
	}
}

// MustHold fails the test when the full folder of golden data, where there is
// one, has no file that matches pattern: such a folder would prove nothing.
func MustHold(t testing.TB, pattern string) {
	t.Helper()
	for _, folder := range folders(t) {
		if len(folder.Glob(pattern)) == 0 {
			t.Errorf("the golden data in %s has no %s", folder.Path, pattern)
		}
	}
}

func folders(t testing.TB) []Folder {
	t.Helper()
	folders := []Folder{{Name: "own", Path: filepath.Join(Root(), "testdata", "golden")}}
	if given := os.Getenv(Variable); given != "" {
		if !present.Folder(given) {
			t.Fatalf("%s=%s: no such folder", Variable, given)
		}
		return append(folders, Folder{Name: "given", Path: given})
	}
	shared := Shared("golden")
	if !present.Folder(shared) {
		t.Log("no ../shared/golden: only the project's own golden data is compared")
		return folders
	}
	return append(folders, Folder{Name: "shared", Path: shared})
}

// File returns the path of a file or folder inside f.
func (f Folder) File(name string) string { return filepath.Join(f.Path, name) }

// Glob returns the paths inside f that match pattern, in order.
func (f Folder) Glob(pattern string) []string {
	paths, _ := filepath.Glob(filepath.Join(f.Path, pattern))
	return paths
}

func (f Folder) missing(names []string) string {
	for _, name := range names {
		if _, err := os.Stat(f.File(name)); err != nil {
			return name
		}
	}
	return ""
}

// SharedData returns the folder of a real dataset beside the checkout, and skips the test where it is missing.
func SharedData(t testing.TB, name string) string {
	t.Helper()
	path := Shared("data", name)
	if !present.Folder(path) {
		t.Skipf("no ../shared/data/%s: this test needs the real pictures", name)
	}
	return path
}

// Root is the repository's root folder, found from this file's own place.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Shared is the path of a file or folder in the folder "shared" beside the
// checkout, which may be missing.
func Shared(names ...string) string {
	return filepath.Join(append([]string{Root(), "..", "shared"}, names...)...)
}
