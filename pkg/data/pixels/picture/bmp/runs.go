package bmp

import (
	"fmt"
	"io"
)

// The second byte of a pair whose first is 0; larger values are numbers of literal pixels.
const (
	lineEnd    = 0
	pictureEnd = 1
	jump       = 2 // two bytes follow: the distances to the right and up
)

// runs is the state of decoding run lengths.
type runs struct {
	*header
	src     []byte
	indices []uint8
	x, row  int // position of the next pixel; rows are in the file's order
}

// unpackRuns decodes RLE8 and RLE4. Pixels without a run are 0; pixels beyond a row's
// end are dropped. A file that ends before its end mark is truncated, unless it has all
// rows.
func (h *header) unpackRuns(src []byte) ([]uint8, error) {
	r := &runs{header: h, src: src, indices: make([]uint8, h.width*h.height)}
	for r.row < h.height {
		if r.row == h.height-1 && r.x >= h.width && len(r.src) < 2 {
			break // only the end mark is missing
		}
		pair, err := r.take(2)
		if err != nil {
			return nil, err
		}
		done, err := r.step(int(pair[0]), pair[1])
		if err != nil {
			return nil, err
		}
		if done {
			break
		}
	}
	return r.indices, nil
}

func (r *runs) step(count int, value byte) (done bool, err error) {
	switch {
	case count > 0:
		r.repeat(count, value)
	case value == lineEnd:
		r.x, r.row = 0, r.row+1
	case value == pictureEnd:
		return true, nil
	case value == jump:
		by, err := r.take(2)
		if err != nil {
			return false, err
		}
		r.x, r.row = r.x+int(by[0]), r.row+int(by[1])
	default:
		return false, r.single(int(value))
	}
	return false, nil
}

// repeat writes count pixels of one value, or of two alternating values with RLE4.
func (r *runs) repeat(count int, value byte) {
	pair := [2]byte{value, value}
	if r.compression == rle4 {
		pair = [2]byte{value >> 4, value & 15}
	}
	for i := range count {
		r.put(pair[i%2])
	}
}

// single reads count literal values, which are padded to an even number of bytes.
func (r *runs) single(count int) error {
	size := count
	if r.compression == rle4 {
		size = (count + 1) / 2
	}
	b, err := r.take(size)
	if err != nil {
		return err
	}
	for i := range count {
		switch {
		case r.compression == rle8:
			r.put(b[i])
		case i%2 == 0:
			r.put(b[i/2] >> 4)
		default:
			r.put(b[i/2] & 15)
		}
	}
	if size%2 == 1 && len(r.src) > 0 {
		r.src = r.src[1:]
	}
	return nil
}

func (r *runs) put(v byte) {
	if r.x < r.width {
		r.indices[r.fromTop(r.row)*r.width+r.x] = v
	}
	r.x++
}

func (r *runs) take(n int) ([]byte, error) {
	if len(r.src) < n {
		return nil, fmt.Errorf("%w: its run lengths end in row %d of %d", io.ErrUnexpectedEOF, r.row, r.height)
	}
	b := r.src[:n]
	r.src = r.src[n:]
	return b, nil
}
