package anomalymap

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// WriteTIFF writes m as a TIFF of 32-bit floats: little-endian, one strip, uncompressed. The
// scores are exact.
func WriteTIFF(w io.Writer, m *Map) error {
	if err := m.check(); err != nil {
		return err
	}
	const (
		long, short = 4, 3 // types of entries
		header      = 8
		entrySize   = 12
	)
	entries := []struct{ tag, kind, value uint32 }{
		{256, long, uint32(m.Width)},
		{257, long, uint32(m.Height)},
		{258, short, 32}, // bits per sample
		{259, short, 1},  // uncompressed
		{262, short, 1},  // black is zero
		{273, long, 0},   // where the strip begins, set below
		{277, short, 1},  // samples per pixel
		{278, long, uint32(m.Height)},
		{279, long, 0},  // bytes of the strip, set below
		{339, short, 3}, // floats
	}
	start := uint64(header + 2 + entrySize*len(entries) + 4)
	bytes := 4 * uint64(len(m.Scores))
	if start+bytes > math.MaxUint32 {
		return fmt.Errorf("a map of height %d and width %d is too large for a TIFF, which holds 4 GiB; save it with WriteNPY", m.Height, m.Width)
	}
	entries[5].value, entries[8].value = uint32(start), uint32(bytes)

	order := binary.LittleEndian
	head := append([]byte("II*\x00"), order.AppendUint32(nil, header)...)
	head = order.AppendUint16(head, uint16(len(entries)))
	for _, e := range entries {
		head = order.AppendUint16(head, uint16(e.tag))
		head = order.AppendUint16(head, uint16(e.kind))
		head = order.AppendUint32(head, 1)       // one value
		head = order.AppendUint32(head, e.value) // a short is in the first bytes
	}
	head = order.AppendUint32(head, 0) // no further page
	return writeScores(w, string(head), m.Scores)
}
