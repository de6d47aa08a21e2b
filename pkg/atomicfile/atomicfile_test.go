package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestWrite(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "results.json")
	for _, content := range []string{"first", "second, and longer"} {
		if err := Write(path, func(w io.Writer) error {
			_, err := io.WriteString(w, content)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		expectContent(t, path, content)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o400 == 0 || info.Mode().Perm()&0o111 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	failure := errors.New("halfway")
	err := Write(path, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half of the third")
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("error %v", err)
	}
	expectContent(t, path, "second, and longer")
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
	if err := Write(filepath.Join(folder, "none", "x"), func(io.Writer) error { return nil }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

func TestRename(t *testing.T) {
	folder := t.TempDir()
	from, to := filepath.Join(folder, "a"), filepath.Join(folder, "b")
	for _, content := range []string{"first", "second"} {
		if err := os.WriteFile(from, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Rename(from, to); err != nil {
			t.Fatal(err)
		}
		expectContent(t, to, content)
	}
	if err := Rename(from, to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestWriteReplacesFilesAlone: links are followed, and paths that are not files stay.
func TestWriteReplacesFilesAlone(t *testing.T) {
	folder := t.TempDir()
	place := func(name string) string { return filepath.Join(folder, name) }
	write := func(name string) error {
		return Write(place(name), func(w io.Writer) error {
			_, err := io.WriteString(w, "new")
			return err
		})
	}
	if err := errors.Join(os.WriteFile(place("file"), []byte("old"), 0o600), os.Symlink("file", place("link")), os.Mkdir(place("folder"), 0o755), syscall.Mkfifo(place("pipe"), 0o600)); err != nil {
		t.Skip(err)
	}
	if err := write("link"); err != nil {
		t.Fatal(err)
	}
	expectContent(t, place("file"), "new")
	if target, err := os.Readlink(place("link")); err != nil || target != "file" {
		t.Errorf("the link is %q, %v", target, err)
	}
	for _, name := range []string{"folder", "pipe"} {
		before, err := os.Lstat(place(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := write(name); !errors.Is(err, ErrNotFile) {
			t.Errorf("%s: error %v", name, err)
		}
		if after, err := os.Lstat(place(name)); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s is %v, %v", name, after, err)
		}
	}
}

func expectContent(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}
