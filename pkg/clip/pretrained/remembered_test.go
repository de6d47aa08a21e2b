package pretrained

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// TestRemember checks that a known identity saves hashing, and only as long as the file is the
// same.
func TestRemember(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("files have no version on this system")
	}
	t.Parallel() // it waits
	folder, cache := filepath.Join(t.TempDir(), "clip"), filepath.Join(t.TempDir(), "cache")
	weights := filepath.Join(folder, "model.safetensors")
	if err := WriteRandom(folder, TinyArch(), 1); err != nil {
		t.Fatal(err)
	}
	identity := func(remember bool) (i Identity, hashed bool) {
		t.Helper()
		c, err := Open(folder)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if remember {
			c.rememberIn(cache, 0)
		}
		values := make([]float32, c.Tensors[0].NumElements())
		if err := c.Tensors[0].ReadFloat32(values); err != nil {
			t.Fatal(err)
		}
		if i, err = c.Identity(); err != nil {
			t.Fatal(err)
		}
		return i, len(c.seen.byName) > 0
	}
	change := func(path string, at int64) {
		t.Helper()
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		one := make([]byte, 1)
		if _, err := file.ReadAt(one, at); err != nil {
			t.Fatal(err)
		}
		one[0] ^= 1
		if _, err := file.WriteAt(one, at); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(what string, want Identity, wantHashed bool) {
		t.Helper()
		if got, hashed := identity(true); got != want || hashed != wantHashed {
			t.Errorf("%s: %v, hashed %v; want %v, %v", what, got, hashed, want, wantHashed)
		}
	}
	// touch makes the file one that was changed just now, however long the test took so far.
	touch := func() {
		t.Helper()
		if err := os.Chmod(weights, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	first, _ := identity(false)
	touch()
	expect("a new file", first, true)
	if found, _ := filepath.Glob(filepath.Join(cache, "*")); len(found) != 0 {
		t.Errorf("a file that may still be written is remembered: %v", found)
	}
	time.Sleep(2100 * time.Millisecond)
	expect("the first time", first, true)
	expect("the second time", first, false)

	info, err := os.Stat(weights)
	if err != nil {
		t.Fatal(err)
	}
	change(weights, info.Size()-3)
	if err := os.Chtimes(weights, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	second, _ := identity(false)
	if second == first {
		t.Fatal("the change does not matter")
	}
	touch()
	expect("another content with the same size and time", second, true)
	time.Sleep(2100 * time.Millisecond)
	expect("the same a while later", second, true)
	files, _ := filepath.Glob(filepath.Join(cache, "*"))
	if len(files) != 2 {
		t.Fatalf("%d files remember two versions", len(files))
	}
	for _, file := range files {
		if err := os.WriteFile(file, []byte(`{"fingerprint":`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expect("a damaged memory", second, true)
	expect("which is mended", second, false)
}
