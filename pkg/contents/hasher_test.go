package contents

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"acdclip/internal/goroutines"
)

func TestSums(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 70_000) // several buffers and a partial one
	contents := []string{"", "a", "b", long, "a", long[1:]}
	root := t.TempDir()
	paths := putAll(t, root, contents...)
	link := filepath.Join(root, "link.png")
	if err := os.Symlink(paths[3], link); err != nil {
		t.Fatal(err)
	}
	paths = append(paths, link, paths[1])
	want := sumsOf(append(contents, long, "a")...)
	for _, workers := range []int{0, 1, 2, 50} {
		for _, cache := range []string{"", filepath.Join(t.TempDir(), "of", "hashes")} {
			for run := range 2 {
				got, err := Hasher{Cache: cache, Workers: workers}.Sums(t.Context(), root, paths)
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("%d workers, cache %q, run %d: %v, %v, want %v", workers, cache, run, got, err, want)
				}
			}
		}
	}
	if got, err := (Hasher{}).Sums(t.Context(), root, nil); err != nil || len(got) != 0 {
		t.Errorf("no paths: %v, %v", got, err)
	}
}

func TestFailuresNameTheFirstPathThatFails(t *testing.T) {
	root := t.TempDir()
	fine := putAll(t, root, slices.Repeat([]string{"content"}, 40)...)
	missing, folder, pipe := filepath.Join(root, "missing.png"), filepath.Join(root, "folder.png"), filepath.Join(root, "pipe.png")
	if err := errors.Join(os.Mkdir(folder, 0o755), syscall.Mkfifo(pipe, 0o644)); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(root, "dead.png")
	if err := os.Symlink(missing, dead); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		path string
		is   error // nil: any
	}{
		"missing": {missing, fs.ErrNotExist}, "dead link": {dead, fs.ErrNotExist}, "folder": {folder, nil}, "pipe": {pipe, nil},
	}
	if os.Geteuid() != 0 { // root can read everything
		closed := filepath.Join(root, "closed.png")
		put(t, closed, "content")
		if err := os.Chmod(closed, 0); err != nil {
			t.Fatal(err)
		}
		tests["unreadable"] = struct {
			path string
			is   error
		}{closed, fs.ErrPermission}
	}
	with := NewSet(sumsOf("content"))
	for name, test := range tests {
		// A second, later failure must never be the reported one.
		paths := slices.Concat(fine[:10], []string{test.path}, fine[10:12], []string{filepath.Join(root, "also-missing.png")}, fine[12:])
		for _, workers := range []int{1, 2, 16} {
			h := Hasher{Workers: workers}
			_, err := h.Sums(t.Context(), root, paths)
			_, errShared := h.Shared(t.Context(), root, paths, with)
			for _, err := range []error{err, errShared} {
				if err == nil || !strings.Contains(err.Error(), test.path) || (test.is != nil && !errors.Is(err, test.is)) {
					t.Errorf("%s, %d workers: error %v, want one that names %s", name, workers, err, test.path)
				}
			}
		}
	}
}

func TestAFileThatChangesWhileItIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.png")
	put(t, path, "content")
	for _, size := range []int64{0, 6, 8} {
		if _, err := newReader().hash(t.Context(), path, size); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("found with %d bytes: error %v, want one that names the file", size, err)
		}
	}
	makeEndless(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := newReader().hash(ctx, path, 7); err == nil || ctx.Err() != nil {
		t.Errorf("a file that went on growing: %v", err)
	}
}

// makeEndless creates a file that is too large to be read to its end.
func makeEndless(t *testing.T, path string) {
	t.Helper()
	put(t, path, "")
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skip("no sparse files: ", err)
	}
}

// The result does not depend on which goroutine is the fastest.
func TestTheFirstFailureInOrderIsKept(t *testing.T) {
	j := job{paths: make([]string, 9)}
	for range 6 {
		if _, more := j.take(); !more {
			t.Fatal("no path is left")
		}
	}
	failure := errors.New("the first in order")
	j.finish(5, errors.New("the last in order"))
	if i, more := j.take(); more {
		t.Errorf("path %d is given out after a failure", i)
	}
	j.finish(2, failure)
	j.finish(3, errors.New("the last in time"))
	j.finish(4, nil)
	if j.err != failure || j.done != 1 {
		t.Errorf("error %v, %d done", j.err, j.done)
	}
}

func TestProgress(t *testing.T) {
	root := t.TempDir()
	paths := putAll(t, root, slices.Repeat([]string{"one", "three"}, 30)...)
	var want []int
	for i := range paths {
		want = append(want, i+1)
	}
	cache := t.TempDir()
	for name, run := range map[string]func(Hasher) error{
		"Sums":   func(h Hasher) error { _, err := h.Sums(t.Context(), root, paths); return err },
		"Shared": func(h Hasher) error { _, err := h.Shared(t.Context(), root, paths, NewSet(sumsOf("one"))); return err },
	} {
		var got []int // without a lock, so that the race detector finds concurrent calls
		if err := run(Hasher{Cache: cache, Workers: 8, Progress: func(done int) { got = append(got, done) }}); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestSharedIsTheIntersection(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	// Few letters and lengths give many files of equal size with different content, and many duplicates.
	tree := func() (root string, paths, contents []string) {
		root = t.TempDir()
		for range r.IntN(60) {
			content := make([]byte, r.IntN(6))
			for i := range content {
				content[i] = "xyz"[r.IntN(3)]
			}
			contents = append(contents, string(content))
		}
		return root, putAll(t, root, contents...), contents
	}
	for range 20 {
		trainRoot, trainPaths, trained := tree()
		root, paths, contents := tree()
		h := Hasher{Cache: t.TempDir(), Workers: 1 + r.IntN(4)}
		sums, err := h.Sums(t.Context(), trainRoot, trainPaths)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i, path := range paths {
			if slices.Contains(trained, contents[i]) {
				want = append(want, path)
			}
		}
		for run := range 2 {
			got, err := h.Shared(t.Context(), root, paths, NewSet(sums))
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("run %d: shared %v, %v, want %v", run, got, err, want)
			}
		}
	}
}

func TestSharedReadsOnlyFilesOfAKnownSize(t *testing.T) {
	root := t.TempDir()
	paths := putAll(t, root, "content", "other", "CONTENT")
	cache := t.TempDir()
	got, err := Hasher{Cache: cache}.Shared(t.Context(), root, paths, NewSet(sumsOf("content")))
	if err != nil || !slices.Equal(got, paths[:1]) {
		t.Errorf("shared %v, %v", got, err)
	}
	if remembered := len(load(onlyFile(t, cache))); remembered != 2 {
		t.Errorf("%d files were read, want the two of the size", remembered)
	}
}

func TestCancelled(t *testing.T) {
	root, cache := t.TempDir(), t.TempDir()
	paths := putAll(t, root, slices.Repeat([]string{"content"}, 50)...)
	before := runtime.NumGoroutine()
	for _, workers := range []int{1, 4} {
		ctx, cancel := context.WithCancel(t.Context())
		h := Hasher{Cache: filepath.Join(cache, fmt.Sprint(workers)), Workers: workers, Progress: func(done int) {
			if done == 20 {
				cancel()
			}
		}}
		sums, err := h.Sums(ctx, root, paths)
		if !errors.Is(err, context.Canceled) || sums != nil {
			t.Errorf("%d workers: %v, %v", workers, sums, err)
		}
		remembered := len(load(onlyFile(t, h.Cache)))
		if remembered < 20 || remembered > 20+workers {
			t.Errorf("%d workers: %d hashes are remembered, want the 20 that were finished", workers, remembered)
		}
		if _, err := h.Sums(ctx, root, paths); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: %v", err)
		}
	}
	goroutines.NoneLeft(t, before)
}

func TestCancelledInTheMiddleOfAFile(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "endless.tif")
	makeEndless(t, path)
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := Hasher{Workers: 2}.Sums(ctx, root, []string{path, path})
	if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took > 10*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	goroutines.NoneLeft(t, before)
}
