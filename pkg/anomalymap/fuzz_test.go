package anomalymap

import (
	"bytes"
	"math"
	"runtime"
	"testing"
)

// FuzzDecode: any bytes give an error or a map of the declared size, without a panic and
// with memory in proportion to the file's size.
func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"maps/*", "refused/*"} {
		for _, path := range fixtures(f, pattern) {
			f.Add(content(f, path))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := Decode(bytes.NewReader(b), int64(len(b)), Options{MaxPixels: math.MaxInt64})
		runtime.ReadMemStats(&after)
		// PNG's deflate can expand one byte to a thousand, and each byte becomes a score of four bytes.
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20+uint64(len(b))*1032*6 {
			t.Fatalf("%d bytes were allocated for %d", grown, len(b))
		}
		if err != nil {
			return
		}
		if m.check() != nil {
			t.Fatalf("a map of %d x %d pixels has %d scores", m.Width, m.Height, len(m.Scores))
		}
		var saved bytes.Buffer
		if err := WriteNPY(&saved, m); err != nil {
			t.Fatal(err)
		}
		if back, err := decode(saved.Bytes()); err != nil || !same(back, m) {
			t.Fatalf("another map comes back from .npy (%v)", err)
		}
	})
}
