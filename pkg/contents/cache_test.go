package contents

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A cached hash is detected by replacing the file's content: Sums then returns the old hash.
func TestCacheIsUsed(t *testing.T) {
	tests := map[string]struct {
		first, second time.Time // modification times
		content       string    // replaces "content"
		hit           bool
	}{
		"same size and time": {longAgo, longAgo, "CONTENT", true},
		"another time":       {longAgo, longAgo.Add(time.Nanosecond), "CONTENT", false},
		"an earlier time":    {longAgo, longAgo.Add(-time.Hour), "CONTENT", false},
		"another size":       {longAgo, longAgo, "CONTENTS", false},
		"in the future":      {time.Now().Add(time.Hour), time.Now().Add(time.Hour), "CONTENT", false},
		"before 1970":        {time.Unix(-5, 0), time.Unix(-5, 0), "CONTENT", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			paths := putAll(t, root, "content", "neighbour")
			h := Hasher{Cache: t.TempDir()}
			setTime(t, paths[0], test.first)
			if test.second == test.first { // as rounded by the file system
				test.second = modified(t, paths[0])
			}
			expectSums(t, h, root, paths, "content", "neighbour")
			put(t, paths[0], test.content)
			setTime(t, paths[0], test.second)
			want := test.content
			if test.hit {
				want = "content"
			}
			expectSums(t, h, root, paths, want, "neighbour")
		})
	}
}

func TestRacilyCleanFilesAreReadAgain(t *testing.T) {
	root := t.TempDir()
	paths := putAll(t, root, "content")
	h := Hasher{Cache: t.TempDir()}
	now := time.Now()
	setTime(t, paths[0], now)
	expectSums(t, h, root, paths, "content")
	put(t, paths[0], "CONTENT") // within the same tick of the file system's clock
	setTime(t, paths[0], now)
	expectSums(t, h, root, paths, "CONTENT")
}

func TestCacheHoldsWhatWasHashedInSeveralRuns(t *testing.T) {
	root := t.TempDir()
	paths := putAll(t, root, "a", "b", "c", "d")
	h := Hasher{Cache: t.TempDir()}
	expectSums(t, h, root, paths[:2], "a", "b")
	expectSums(t, h, root, paths[1:3], "b", "c")
	for _, path := range paths {
		put(t, path, "x")
	}
	expectSums(t, h, root, paths, "a", "b", "c", "x")
}

func TestCacheHoldsAFileOnce(t *testing.T) {
	root := t.TempDir()
	paths := putAll(t, root, "content")
	h := Hasher{Cache: t.TempDir(), Workers: 1}
	expectSums(t, h, root, slices.Repeat(paths, 3), "content", "content", "content")
	if remembered := load(onlyFile(t, h.Cache)); len(remembered) != 1 {
		t.Errorf("%d entries", len(remembered))
	}
}

func TestEachRootHasACacheOfItsOwn(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	h := Hasher{Cache: filepath.Join(t.TempDir(), "acdclip", "hashes")}
	paths := putAll(t, first, "content")
	expectSums(t, h, first, paths, "content")
	path := onlyFile(t, h.Cache)
	if mode := stat(t, path).Mode(); mode.Perm() != 0o600 {
		t.Errorf("the cache's mode is %v", mode)
	}
	if mode := stat(t, h.Cache).Mode(); mode.Perm() != 0o700 {
		t.Errorf("the folder's mode is %v", mode)
	}

	// Files with the same relative paths, sizes and times below another root, even if it has
	// the first one's cache.
	others := putAll(t, second, "CONTENT")
	if err := os.WriteFile(openCache(h.Cache, second).path, read(t, path), 0o600); err != nil {
		t.Fatal(err)
	}
	expectSums(t, h, second, others, "CONTENT")
}

func TestRelativePathsAreThoseOfTheFolderTheyStartFrom(t *testing.T) {
	folder, other := t.TempDir(), t.TempDir()
	h := Hasher{Cache: t.TempDir()}
	put(t, filepath.Join(folder, "data", "a.png"), "content")
	put(t, filepath.Join(other, "data", "a.png"), "CONTENT")
	relative := []string{filepath.Join("data", "a.png")}
	t.Chdir(folder)
	expectSums(t, h, "data", relative, "content")
	put(t, relative[0], "changed")
	expectSums(t, h, filepath.Join(folder, "data"), []string{filepath.Join(folder, relative[0])}, "content")
	t.Chdir(other)
	expectSums(t, h, filepath.Join(folder, "data"), relative, "CONTENT")
}

// ".." after a link is another folder than the text of the path suggests.
func TestPathsThroughLinksAreNotMixedUp(t *testing.T) {
	root := t.TempDir()
	put(t, filepath.Join(root, "a.png"), "content")
	put(t, filepath.Join(root, "far", "a.png"), "CONTENT")
	put(t, filepath.Join(root, "far", "away", "b.png"), "b")
	if err := os.Symlink(filepath.Join("far", "away"), filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	h := Hasher{Cache: t.TempDir()}
	expectSums(t, h, ".", []string{"a.png"}, "content")
	expectSums(t, h, ".", []string{"link/../a.png"}, "CONTENT")
}

func TestCacheIsWrittenOnlyForSomethingNew(t *testing.T) {
	root := t.TempDir()
	paths := putAll(t, root, "a", "b")
	h := Hasher{Cache: t.TempDir()}
	if _, err := h.Sums(t.Context(), root, nil); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(h.Cache); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
	expectSums(t, h, root, paths, "a", "b")
	before := stat(t, onlyFile(t, h.Cache))
	expectSums(t, h, root, paths, "a", "b")
	if !os.SameFile(before, stat(t, onlyFile(t, h.Cache))) {
		t.Error("it was written again")
	}
	put(t, paths[1], "longer")
	expectSums(t, h, root, paths, "a", "longer")
	if os.SameFile(before, stat(t, onlyFile(t, h.Cache))) {
		t.Error("it was not written")
	}
}

// With any damage of the cache, the sums are correct, and the cache is repaired if possible.
func TestDamagedCache(t *testing.T) {
	replace := func(change func(b []byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, change(read(t, path)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(t *testing.T, path string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		damage func(t *testing.T, path string)
		mended bool
	}{
		"gone":              {remove, true},
		"empty":             {replace(func([]byte) []byte { return nil }), true},
		"foreign":           {replace(func([]byte) []byte { return []byte("{\"files\": []}\n") }), true},
		"without its end":   {replace(func(b []byte) []byte { return b[:len(b)-1] }), true},
		"without an entry":  {replace(func(b []byte) []byte { return append(b[:len(format)], b[len(format)+encodedEntry:]...) }), true},
		"longer":            {replace(func(b []byte) []byte { return append(b, 0) }), true},
		"one bit altered":   {replace(func(b []byte) []byte { b[len(format)+17] ^= 4; return b }), true},
		"checksum altered":  {replace(func(b []byte) []byte { b[len(b)-1] ^= 1; return b }), true},
		"another version":   {replace(func(b []byte) []byte { return sealed(bytes.Replace(b, []byte(" 1\n"), []byte(" 2\n"), 1)) }), true},
		"a part of entries": {replace(func(b []byte) []byte { return sealed(slices.Delete(b, len(format), len(format)+1)) }), true},
		"too large":         {func(t *testing.T, path string) { mustDo(t, os.Truncate(path, int64(maxEncoded)+1)) }, true},
		"a pipe":            {func(t *testing.T, path string) { remove(t, path); mustDo(t, syscall.Mkfifo(path, 0o600)) }, true},
		"a folder":          {func(t *testing.T, path string) { remove(t, path); mustDo(t, os.Mkdir(path, 0o700)) }, false},
		"its folder a file": {func(t *testing.T, path string) {
			remove(t, path)
			remove(t, filepath.Dir(path))
			put(t, filepath.Dir(path), "")
		}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			paths := putAll(t, root, "one", "two")
			h := Hasher{Cache: filepath.Join(t.TempDir(), "hashes")}
			expectSums(t, h, root, paths, "one", "two")
			cache := onlyFile(t, h.Cache)
			whole := read(t, cache)
			test.damage(t, cache)
			put(t, paths[0], "ONE") // not detected if the cache is valid
			expectSums(t, h, root, paths, "ONE", "two")
			put(t, paths[0], "one")
			want := "one"
			if test.mended {
				want = "ONE"
				if len(read(t, onlyFile(t, h.Cache))) != len(whole) {
					t.Error("it was not mended")
				}
			}
			expectSums(t, h, root, paths, want, "two")
		})
	}
}

// Programs that write a cache concurrently leave a valid one.
func TestCacheOfTwoPrograms(t *testing.T) {
	root := t.TempDir()
	paths := putAll(t, root, slices.Repeat([]string{"a", "bc"}, 20)...)
	h := Hasher{Cache: t.TempDir(), Workers: 2}
	var running sync.WaitGroup
	for i := range 4 {
		running.Go(func() {
			for from := i; from < len(paths); from += 4 {
				if _, err := h.Sums(t.Context(), root, paths[from:]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	if len(load(onlyFile(t, h.Cache))) == 0 {
		t.Error("the cache is not whole")
	}
	expectSums(t, h, root, paths[:2], "a", "bc")
}

func TestCacheIsBounded(t *testing.T) {
	many := make([]entry, maxEntries)
	for i := range many {
		binary.BigEndian.PutUint32(many[i].key[:], uint32(i))
	}
	// A full cache is replaced by the new entries.
	c := &cache{path: filepath.Join(t.TempDir(), "cache"), old: many}
	c.add(entry{key: [16]byte{1, 1, 1, 1}, hash: [8]byte{2}})
	c.save()
	if got := load(c.path); !slices.Equal(got, c.added) {
		t.Errorf("%d entries, want the new one", len(got))
	}
	// Entries beyond the maximum are neither written nor read.
	more := append(many, entry{key: [16]byte{255}})
	mustDo(t, os.WriteFile(c.path, encode(more), 0o600))
	if got := load(c.path); got != nil {
		t.Errorf("%d entries are read, and %d allowed", len(got), maxEntries)
	}
	c = &cache{path: c.path, added: more}
	c.save()
	if got := load(c.path); !slices.Equal(got, many) {
		t.Errorf("%d entries, want %d", len(got), maxEntries)
	}
}

func TestDefaultCache(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/caches")
	t.Setenv("HOME", "/home/somebody")
	if user, err := os.UserCacheDir(); err != nil || DefaultCache() != filepath.Join(user, "acdclip", "hashes") {
		t.Errorf("%q in %q, %v", DefaultCache(), user, err)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if got := DefaultCache(); got != "" {
		t.Errorf("%q without a home", got)
	}
}

// FuzzDecode reads any bytes as a cache file, unchanged and between a correct header and
// checksum.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(encode(nil))
	f.Add(encode([]entry{{[16]byte{1}, [8]byte{2}}, {[16]byte{3}, [8]byte{4}}}))
	f.Add(make([]byte, 2*encodedEntry))
	f.Fuzz(func(t *testing.T, b []byte) {
		if entries := decode(b); len(entries) > 0 && !bytes.Equal(encode(entries), b) {
			t.Error("entries were made up")
		}
		whole := sealed(slices.Concat([]byte(format), b, make([]byte, sha256.Size)))
		entries := decode(whole)
		if len(b)%encodedEntry != 0 {
			if entries != nil {
				t.Error("a part of an entry was read")
			}
			return
		}
		if !bytes.Equal(encode(entries), whole) {
			t.Error("not what was written")
		}
		for i := range b { // a change of any byte must be detected
			whole[len(format)+i] ^= 1 << (i % 8)
			if decode(whole) != nil {
				t.Errorf("byte %d was changed unseen", i)
			}
			whole[len(format)+i] ^= 1 << (i % 8)
			if i > 100 {
				break
			}
		}
	})
}

// sealed returns a cache file with a correct checksum of its content.
func sealed(b []byte) []byte {
	b = b[:len(b)-sha256.Size]
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func stat(t *testing.T, path string) fs.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func modified(t *testing.T, path string) time.Time {
	t.Helper()
	return stat(t, path).ModTime()
}

func expectSums(t *testing.T, h Hasher, root string, paths []string, contents ...string) {
	t.Helper()
	got, err := h.Sums(t.Context(), root, paths)
	if want := sumsOf(contents...); err != nil || !slices.Equal(got, want) {
		t.Errorf("sums %v, %v, want %v, which are those of %q", got, err, want, contents)
	}
}
