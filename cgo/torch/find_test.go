package torch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFindIgnoresTheWorkingFolder: a library in a folder that somebody else has made is
// never loaded.
func TestFindIgnoresTheWorkingFolder(t *testing.T) {
	folder := t.TempDir()
	current := filepath.Join(folder, "build", "current")
	if err := os.MkdirAll(current, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(folder, "go.mod"), filepath.Join(current, nativeName), filepath.Join(folder, nativeName)} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(folder)
	t.Setenv(NativeVariable, "")
	if found, err := Find(); !errors.Is(err, ErrNotFound) || strings.Contains(err.Error(), folder) || !strings.Contains(err.Error(), NativeVariable) {
		t.Errorf("%+v, %v", found, err)
	}
	t.Setenv(NativeVariable, filepath.Join(folder, "absent"))
	if _, err := Find(); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "absent") {
		t.Errorf("%v", err)
	}
}
