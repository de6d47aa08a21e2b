package anomalymap

import (
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf8"
)

// The format is defined in NumPy's numpy.lib.format: a magic, a version, a header with one
// Python literal, and the contiguous values.

// maxNPYHeader is the maximum number of header bytes, NumPy's default.
const maxNPYHeader = 10_000

// readNPY reads a NumPy array. A file that is longer or shorter than its header declares
// is damaged.
func readNPY(r io.ReaderAt, size int64, o Options) (*Map, error) {
	text, start, err := npyHeaderText(r, size)
	if err != nil {
		return nil, err
	}
	header, err := parseNPYHeader(text)
	if err != nil {
		return nil, err
	}
	s, err := npySample(header.descr)
	if err != nil {
		return nil, err
	}
	height, width, err := header.mapSize()
	if err != nil {
		return nil, err
	}
	if err := o.check(height, width); err != nil {
		return nil, err
	}
	if want, have := height*width*int64(s.size), size-start; want != have {
		return nil, fmt.Errorf("the array is damaged: its header declares %d bytes of scores, but it has %d; copy or save the map again", want, have)
	}
	m := newMap(height, width)
	scores := newSampleReader(r, s)
	scores.seek(start, size-start)
	if header.fortran {
		return m, scores.readColumns(m)
	}
	return m, scores.read(m.Scores)
}

// readColumns fills m column by column.
func (r *sampleReader) readColumns(m *Map) error {
	column := make([]float32, m.Height)
	for x := range m.Width {
		if err := r.read(column); err != nil {
			return err
		}
		for y, score := range column {
			m.Scores[y*m.Width+x] = score
		}
	}
	return nil
}

// npyHeaderText returns the header as UTF-8, and the offset of the values.
func npyHeaderText(r io.ReaderAt, size int64) (text string, start int64, err error) {
	var head [12]byte // magic 6, version 2, length 2 or 4
	if size < int64(len(head)) {
		return "", 0, fmt.Errorf("the array is truncated in its header, after %d bytes; copy or save the map again", size)
	}
	if err := readAt(r, head[:], 0); err != nil {
		return "", 0, err
	}
	var length int64
	switch version := [2]byte(head[6:8]); version {
	case [2]byte{1, 0}:
		start, length = 10, int64(binary.LittleEndian.Uint16(head[8:]))
	case [2]byte{2, 0}, [2]byte{3, 0}:
		start, length = 12, int64(binary.LittleEndian.Uint32(head[8:]))
	default:
		return "", 0, fmt.Errorf("the array has the .npy version %d.%d, but only 1.0, 2.0 and 3.0 are supported; save the map as %s", version[0], version[1], wanted)
	}
	if length > maxNPYHeader || length > size-start {
		return "", 0, fmt.Errorf("the array's header declares %d bytes, but the file has %d more and the maximum is %d; save the map as %s", length, size-start, maxNPYHeader, wanted)
	}
	b := make([]byte, length)
	if err := readAt(r, b, start); err != nil {
		return "", 0, err
	}
	if head[6] < 3 {
		return latin1(b), start + length, nil
	}
	if !utf8.Valid(b) {
		return "", 0, fmt.Errorf("the array's header is not UTF-8; save the map as %s", wanted)
	}
	return string(b), start + length, nil
}

func latin1(b []byte) string {
	text := make([]rune, len(b))
	for i, c := range b {
		text[i] = rune(c)
	}
	return string(text)
}

// npySample returns the sample format of a NumPy dtype such as "<f4".
func npySample(descr string) (sample, error) {
	refused := fmt.Errorf("the array's dtype %q is not supported (only f2, f4, f8, u1, u2, i2, i4 and i8); save the map as %s", descr, wanted)
	if len(descr) != 3 {
		return sample{}, refused
	}
	score, known := map[string]func(binary.ByteOrder, []byte) (float32, error){
		"f2": float16Of, "f4": float32Of, "f8": float64Of,
		"u1": uint8Of, "u2": uint16Of,
		"i2": int16Of, "i4": int32Of, "i8": int64Of,
	}[descr[1:]]
	if !known {
		return sample{}, refused
	}
	s := sample{size: int(descr[2] - '0'), order: binary.LittleEndian, score: score}
	switch order := descr[0]; {
	case order == '<', order == '|' && s.size == 1:
	case order == '>':
		s.order = binary.BigEndian
	default:
		return sample{}, refused
	}
	return s, nil
}
