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

// sample is how a file stores one score.
type sample struct {
	size  int // bytes
	order binary.ByteOrder
	score func(order binary.ByteOrder, b []byte) (float32, error) // of size bytes
}

func float16Of(order binary.ByteOrder, b []byte) (float32, error) {
	return float16.ToFloat32(order.Uint16(b)), nil
}

func float32Of(order binary.ByteOrder, b []byte) (float32, error) {
	return math.Float32frombits(order.Uint32(b)), nil
}

// float64Of rounds to the nearest float32, as scores are.
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

// integer is v where a float32 has room for its digits.
func integer(v int64) (float32, error) {
	const precision = 24
	magnitude := uint64(max(v, -v)) // right for the smallest int64 too
	if bits.Len64(magnitude)-bits.TrailingZeros64(magnitude) > precision {
		return 0, fmt.Errorf("the integer %d has no float32 that equals it: save the map as floats, %s", v, wanted)
	}
	return float32(v), nil
}

// grey8 and grey16 are a picture's values from black, 0, to white, 1. The
// quotient is the float32 nearest to the true one.
func grey8(_ binary.ByteOrder, b []byte) (float32, error) { return float32(b[0]) / 255, nil }

func grey16(order binary.ByteOrder, b []byte) (float32, error) {
	return float32(order.Uint16(b)) / 65535, nil
}

// sampleReader reads the scores that lie one after another in a part of a file.
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

// seek makes the scores from offset on the next ones; no more than length bytes are read there.
func (r *sampleReader) seek(offset, length int64) {
	r.part.Reset(io.NewSectionReader(r.file, offset, length))
}

// read fills scores with the next ones.
func (r *sampleReader) read(scores []float32) error {
	for len(scores) > 0 {
		n := min(len(scores), len(r.buffer)/r.size)
		b := r.buffer[:n*r.size]
		if _, err := io.ReadFull(r.part, b); err != nil {
			return fmt.Errorf("the scores cannot be read, try again: %w", err)
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

// skip passes over the next n scores.
func (r *sampleReader) skip(n int64) error {
	if _, err := r.part.Discard(int(n) * r.size); err != nil {
		return fmt.Errorf("the scores cannot be read, try again: %w", err)
	}
	return nil
}
