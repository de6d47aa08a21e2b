package contents

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var longAgo = time.Date(2022, 9, 22, 1, 2, 3, 456789000, time.UTC)

// put writes a file with an old modification time.
func put(t testing.TB, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	setTime(t, path, longAgo)
}

func setTime(t testing.TB, path string, modified time.Time) {
	t.Helper()
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
}

// putAll writes files to a folder and returns their paths.
func putAll(t testing.TB, root string, contents ...string) []string {
	t.Helper()
	var paths []string
	for i, content := range contents {
		path := filepath.Join(root, "class", string(rune('a'+i/26))+string(rune('a'+i%26))+".png")
		put(t, path, content)
		paths = append(paths, path)
	}
	return paths
}

func sumOf(content string) Sum {
	sum := sha256.Sum256([]byte(content))
	return Sum{Size: int64(len(content)), Hash: [8]byte(sum[:])}
}

func sumsOf(contents ...string) []Sum {
	var sums []Sum
	for _, content := range contents {
		sums = append(sums, sumOf(content))
	}
	return sums
}

// onlyFile returns the path of the single file in a folder.
func onlyFile(t testing.TB, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d files, %v, want one", len(entries), err)
	}
	return filepath.Join(folder, entries[0].Name())
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
