package checkpoint

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"slices"

	"acdclip/pkg/weights"
)

// sumKey is the entry of a file's metadata that holds its checksum.
const sumKey = "sha256"

// ErrDamaged reports a file whose content has changed since it was written.
var ErrDamaged = errors.New("the file is damaged")

// sum is the SHA-256 of a file's metadata and of its tensors with their names and shapes.
type sum struct{ hash.Hash }

func newSum(text string) sum {
	s := sum{sha256.New()}
	fmt.Fprintf(s, "%d %s", len(text), text)
	return s
}

// begin hashes a tensor's name and shape; add hashes its values.
func (s sum) begin(name string, shape []int64) {
	fmt.Fprintf(s, "%d %s %v", len(name), name, shape)
}

func (s sum) add(values []float32) {
	var buffer []byte
	for piece := range slices.Chunk(values, 1<<14) {
		buffer = buffer[:0]
		for _, value := range piece {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(value))
		}
		s.Write(buffer)
	}
}

func (s sum) hex() string { return hex.EncodeToString(s.Sum(nil)) }

// sumOf returns the checksum of a text and tensors.
func sumOf(text string, tensors []weights.Value) string {
	s := newSum(text)
	for _, t := range tensors {
		s.begin(t.Name, t.Shape)
		s.add(t.Float32)
	}
	return s.hex()
}
