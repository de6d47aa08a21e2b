package anomalymap

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"
)

// pngHeader replaces size, depth and color type of a PNG, and its header's checksum.
func pngHeader(b []byte, width, height uint32, depth, color byte) []byte {
	b = slices.Clone(b)
	binary.BigEndian.PutUint32(b[16:], width)
	binary.BigEndian.PutUint32(b[20:], height)
	b[24], b[25] = depth, color
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func TestHostilePNGs(t *testing.T) {
	sound := content(t, "testdata/maps/grey16.png")
	const all = 1<<32 - 1
	mustRefuse(t, "huge", pngHeader(sound, all, all, 16, 0), "too large")
	mustRefuse(t, "more than the file", pngHeader(sound, 10000, 10000, 16, 0), "too large for a file")
	mustRefuse(t, "more than the pixels", pngHeader(sound, 10, 14, 16, 0), "damaged or cut short")
	mustRefuse(t, "less than the pixels", pngHeader(sound, 10, 12, 16, 0), "damaged or cut short")
	mustRefuse(t, "no width", pngHeader(sound, 0, 4, 16, 0), "at least 1")
	mustRefuse(t, "no height", pngHeader(sound, 4, 0, 16, 0), "at least 1")
	mustRefuse(t, "unknown color", pngHeader(sound, 10, 13, 16, 9), "unknown color type 9")
	mustRefuse(t, "unknown depth", pngHeader(sound, 10, 13, 32, 0), "32-bit grey")
	mustRefuse(t, "signature alone", sound[:8], "truncated in its header")
	other := slices.Clone(sound)
	copy(other[12:], "IDAT")
	mustRefuse(t, "no header", other, "not IHDR")
	damaged := slices.Clone(sound)
	damaged[len(damaged)/2] ^= 1
	mustRefuse(t, "damaged", damaged, "damaged or cut short")
}
