// Package golden finds the golden data: folders of expected values for tests.
package golden

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"acdclip/pkg/present"
)

// Variable is the environment variable for the path of another folder of golden data.
const Variable = "ACDCLIP_GOLDEN"

// Folder is one folder of golden data, in the layout that scripts/reference writes.
type Folder struct {
	Name string // "own", "shared" or "given"; also the subtest's name
	Path string
}

// Run runs test as a subtest for each folder of golden data that contains all the needed
// files: the project's small folder, and the full folder beside the checkout or the one
// in Variable. If a full folder lacks a file, its subtest is skipped with that file's
// name; under CI the folder beside the checkout must be complete. Run fails if Variable
// is not a folder.
func Run(t *testing.T, needs []string, test func(t *testing.T, folder Folder)) {
	t.Helper()
	ran := false
	for _, folder := range folders(t) {
		missing := folder.missing(needs)
		if missing != "" && folder.Name == "own" {
			continue // the small folder contains only some files
		}
		ran = true
		t.Run(folder.Name, func(t *testing.T) {
			switch {
			case missing == "":
				test(t, folder)
			case folder.Name == "shared" && os.Getenv("CI") == "true":
				t.Fatalf("missing file in %s: %s", folder.Path, missing)
			default:
				t.Skipf("missing file in %s: %s", folder.Path, missing)
			}
		})
	}
	if !ran {
		t.Skipf("no golden data with %v beside the checkout or in the project's own folder", needs)
	}
}

// MustHold fails the test if the full folder of golden data exists but has no file that
// matches pattern, because the test would then compare nothing.
func MustHold(t testing.TB, pattern string) {
	t.Helper()
	for _, folder := range folders(t) {
		if len(folder.Glob(pattern)) == 0 {
			t.Errorf("the golden data in %s has no file %s", folder.Path, pattern)
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
		t.Log("no folder ../shared/golden: comparing only with the project's own golden data")
		return folders
	}
	return append(folders, Folder{Name: "shared", Path: shared})
}

// File returns the path of a file or folder inside f.
func (f Folder) File(name string) string { return filepath.Join(f.Path, name) }

// Glob returns the sorted paths inside f that match pattern.
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

// SharedData returns the folder of a real dataset beside the checkout, and skips the test if it is missing.
func SharedData(t testing.TB, name string) string {
	t.Helper()
	path := Shared("data", name)
	if !present.Folder(path) {
		t.Skipf("no folder ../shared/data/%s: this test needs the real pictures", name)
	}
	return path
}

// Root returns the repository's root folder, derived from this file's path.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// UseNative sets the environment variable of the native library to this checkout's, unless
// it is set: test programs are in temporary folders, where the library is not found.
func UseNative(variable string) {
	if os.Getenv(variable) == "" {
		os.Setenv(variable, filepath.Join(Root(), "build", "current", "libacdclip_native.so"))
	}
}

// Shared returns the path of a file or folder in the folder "shared" beside the checkout.
// It need not exist.
func Shared(names ...string) string {
	return filepath.Join(append([]string{Root(), "..", "shared"}, names...)...)
}
