package metrics

import (
	"encoding/binary"
	"hash/crc32"
	"io"
)

// A partial result is a header, runs, and an end record; all numbers are
// little-endian:
//
//	"acdclip pixels 1\n"
//	run: uint8 class (1 normal, 2 anomalous), uint32 length
//	     anomalous: uint16 n, then n region sizes (uint32)
//	     keys (uint32), ascending
//	     anomalous: a tag (uint8) per key, an index into the sizes
//	end: uint8 0, uint64 regions, uint32 CRC-32C of all preceding bytes
const (
	partialHeading = "acdclip pixels "
	partialVersion = "1\n"

	endOfRuns = 0 // marks the end instead of a class
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// WriteTo writes all collected pixels for ReadFrom, for example on another machine: about
// 4 bytes per normal pixel and 5 per anomalous one. The bytes depend only on the added
// pictures and their order, not on options.
func (p *Pixels) WriteTo(w io.Writer) (int64, error) {
	if p.pool == nil {
		return 0, errClosed
	}
	if err := p.pool.finish(); err != nil {
		return 0, err
	}
	to := &partialWriter{to: w}
	err := p.pool.writeTo(to)
	return to.bytes, err
}

func (p *pool) writeTo(w *partialWriter) error {
	if _, err := io.WriteString(w, partialHeading+partialVersion); err != nil {
		return err
	}
	var in reader
	for _, r := range p.runs() {
		if err := r.writeTo(w, &in); err != nil {
			return err
		}
	}
	end := binary.LittleEndian.AppendUint64([]byte{endOfRuns}, p.regions)
	if _, err := w.Write(end); err != nil {
		return err
	}
	_, err := w.Write(binary.LittleEndian.AppendUint32(nil, w.sum))
	return err
}

func (r *run) writeTo(w io.Writer, in *reader) error {
	keys, err := in.keys(r, 0, r.length)
	if err != nil {
		return err
	}
	heading := binary.LittleEndian.AppendUint32([]byte{1 + uint8(r.class())}, uint32(r.length))
	if r.class() == anomalous {
		heading = binary.LittleEndian.AppendUint16(heading, uint16(len(r.sizes)))
		for _, size := range r.sizes {
			heading = binary.LittleEndian.AppendUint32(heading, size)
		}
	}
	if _, err := w.Write(heading); err != nil {
		return err
	}
	if err := writeWords(w, keys, &in.bytes); err != nil || r.class() == normal {
		return err
	}
	tags, err := in.tags(r, 0, r.length)
	if err != nil {
		return err
	}
	_, err = w.Write(tags)
	return err
}

// partialWriter counts the written bytes and computes their checksum.
type partialWriter struct {
	to    io.Writer
	bytes int64
	sum   uint32
}

func (w *partialWriter) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.bytes += int64(n)
	w.sum = crc32.Update(w.sum, castagnoli, b[:n])
	return n, err
}
