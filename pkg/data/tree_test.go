package data

import (
	"os"
	"path/filepath"
	"testing"
)

// writeTree makes empty files under a new folder and returns the folder. A
// name that ends in a slash is a folder; "a -> b" is a link at a to b, which
// is relative to a's own folder.
func writeTree(t testing.TB, names ...string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "set")
	growTree(t, root, names...)
	return root
}

func growTree(t testing.TB, root string, names ...string) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.MkdirAll(root, 0o755))
	for _, name := range names {
		if link, target, ok := cutLink(name); ok {
			check(os.MkdirAll(filepath.Dir(filepath.Join(root, link)), 0o755))
			check(os.Symlink(target, filepath.Join(root, link)))
			continue
		}
		path := filepath.Join(root, name)
		if name[len(name)-1] == '/' {
			check(os.MkdirAll(path, 0o755))
			continue
		}
		check(os.MkdirAll(filepath.Dir(path), 0o755))
		check(os.WriteFile(path, nil, 0o644))
	}
}

func cutLink(name string) (link, target string, ok bool) {
	for i := range len(name) - 4 {
		if name[i:i+4] == " -> " {
			return name[:i], name[i+4:], true
		}
	}
	return "", "", false
}

// forbid takes all rights from a path until the test ends, and skips it where
// that has no effect (the superuser reads everything).
func forbid(t testing.TB, path string) {
	t.Helper()
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(path, 0o755) })
	if _, err := os.ReadDir(path); err == nil {
		t.Skip("this user reads folders without any right to")
	}
}
