package metrics

import (
	"encoding/binary"
	"io"
	"slices"
)

const wordsAtOnce = 1 << 14

// writeWords writes words little-endian, a limited number at a time.
func writeWords(w io.Writer, words []uint32, buffer *[]byte) error {
	for some := range slices.Chunk(words, wordsAtOnce) {
		*buffer = resized(*buffer, 4*len(some))
		for i, word := range some {
			binary.LittleEndian.PutUint32((*buffer)[4*i:], word)
		}
		if _, err := w.Write(*buffer); err != nil {
			return err
		}
	}
	return nil
}

func decode(words []uint32, bytes []byte) {
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(bytes[4*i:])
	}
}

// resized returns values with length n and undefined content. It grows the capacity by
// more than needed, because many small steps would create much garbage.
func resized[T any](values []T, n int) []T {
	if n > cap(values) {
		values = make([]T, n, n+n/4)
	}
	return values[:n]
}

// joined appends more to values, and doubles the capacity if it must grow.
func joined[T any](values, more []T) []T {
	if n := len(values) + len(more); n > cap(values) {
		values = append(make([]T, 0, max(n, 2*cap(values))), values...)
	}
	return append(values, more...)
}
