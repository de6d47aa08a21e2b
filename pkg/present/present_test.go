package present

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestPresent(t *testing.T) {
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	err := errors.Join(
		os.Mkdir(at("folder"), 0o755), os.WriteFile(at("file"), nil, 0o644),
		os.Symlink("folder", at("link to a folder")), os.Symlink("file", at("link to a file")), os.Symlink("nothing", at("dead link")),
	)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name              string
		any, folder, file bool
	}{
		{"folder", true, true, false},
		{"file", true, false, true},
		{"link to a folder", true, true, false},
		{"link to a file", true, false, true},
		{"dead link", false, false, false},
		{"nothing", false, false, false},
		{"file/below", false, false, false},
	} {
		if path := at(c.name); Any(path) != c.any || Folder(path) != c.folder || File(path) != c.file {
			t.Errorf("%s: something %v, a folder %v, a file %v", c.name, Any(path), Folder(path), File(path))
		}
	}
}
