package contents

import (
	"slices"
	"strings"
	"testing"
)

// BenchmarkSums hashes files from the page cache, on one goroutine.
func BenchmarkSums(b *testing.B) {
	const files, size = 16, 1 << 20
	root := b.TempDir()
	paths := putAll(b, root, slices.Repeat([]string{strings.Repeat("x", size)}, files)...)
	b.SetBytes(files * size)
	for b.Loop() {
		if _, err := (Hasher{Workers: 1}).Sums(b.Context(), root, paths); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRemembered looks up files with cached hashes in a cache of 10,000, on one
// goroutine.
func BenchmarkRemembered(b *testing.B) {
	root := b.TempDir()
	paths := putAll(b, root, slices.Repeat([]string{"content"}, 10_000)...)
	h := Hasher{Cache: b.TempDir(), Workers: 1}
	for b.Loop() {
		if _, err := h.Sums(b.Context(), root, paths); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(paths)), "ns/file")
}
