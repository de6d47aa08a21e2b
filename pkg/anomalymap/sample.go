package anomalymap

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"

	"acdclip/pkg/float16"
)

// sample is the storage format of one score.
type sample struct {
	size  int // in bytes
	order binary.ByteOrder
	score func(order binary.ByteOrder, b []byte) (float32, error) // decodes size bytes
}

func float16Of(order binary.ByteOrder, b []byte) (float32, error) {
	return float16.ToFloat32(order.Uint16(b)), nil
}

func float32Of(order binary.ByteOrder, b []byte) (float32, error) {
	return math.Float32frombits(order.Uint32(b)), nil
}

// float64Of rounds to the nearest float32, the type of scores.
func float64Of(order binary.ByteOrder, b []byte) (float32, error) {
	return float32(math.Float64frombits(order.Uint64(b))), nil
}

func uint8Of(_ binary.ByteOrder, b []byte) (float32, error) { return float32(b[0]), nil }

func uint16Of(order binary.ByteOrder, b []byte) (float32, error) {
	return float32(order.Uint16(b)), nil
}

func int16Of(order binary.ByteOrder, b []byte) (float32, error) {
	return float32(int16(order.Uint16(b))), nil
}

func int32Of(order binary.ByteOrder, b []byte) (float32, error) {
	return integer(int64(int32(order.Uint32(b))))
}

func int64Of(order binary.ByteOrder, b []byte) (float32, error) {
	return integer(int64(order.Uint64(b)))
}

// integer returns v as float32, or an error if it is not exact.
func integer(v int64) (float32, error) {
	const precision = 24
	magnitude := uint64(max(v, -v)) // also correct for the smallest int64
	if bits.Len64(magnitude)-bits.TrailingZeros64(magnitude) > precision {
		return 0, fmt.Errorf("the integer %d is not exact as float32; save the map as floats, %s", v, wanted)
	}
	return float32(v), nil
}

// grey8 and grey16 scale a picture's grey from black, 0, to white, 1. The quotient is
// correctly rounded to float32.
func grey8(_ binary.ByteOrder, b []byte) (float32, error) { return float32(b[0]) / 255, nil }

func grey16(order binary.ByteOrder, b []byte) (float32, error) {
	return float32(order.Uint16(b)) / 65535, nil
}

// sampleReader reads consecutive scores from a part of a file.
type sampleReader struct {
	sample
	file   io.ReaderAt
	part   *bufio.Reader
	buffer []byte
}

func newSampleReader(file io.ReaderAt, s sample) *sampleReader {
	const samples = 4 << 10
	return &sampleReader{sample: s, file: file, part: bufio.NewReaderSize(nil, samples*s.size), buffer: make([]byte, samples*s.size)}
}

// seek moves to offset, from where at most length bytes are read.
func (r *sampleReader) seek(offset, length int64) {
	r.part.Reset(io.NewSectionReader(r.file, offset, length))
}

// read fills scores with the next scores.
func (r *sampleReader) read(scores []float32) error {
	for len(scores) > 0 {
		n := min(len(scores), len(r.buffer)/r.size)
		b := r.buffer[:n*r.size]
		if _, err := io.ReadFull(r.part, b); err != nil {
			return fmt.Errorf("reading the scores failed, try again: %w", err)
		}
		for i := range n {
			score, err := r.score(r.order, b[i*r.size:])
			if err != nil {
				return err
			}
			scores[i] = score
		}
		scores = scores[n:]
	}
	return nil
}

// skip skips the next n scores.
func (r *sampleReader) skip(n int64) error {
	if _, err := r.part.Discard(int(n) * r.size); err != nil {
		return fmt.Errorf("reading the scores failed, try again: %w", err)
	}
	return nil
}
