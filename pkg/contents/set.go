package contents

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"acdclip/pkg/digest"
)

// Sum names a file's content. Files of equal Sums are taken to be identical:
// the hash is long enough for accidents, not for an adversary.
type Sum struct {
	Size int64   // in bytes
	Hash [8]byte // the first bytes of the content's SHA-256
}

// compare orders Sums by size, then hash.
func (s Sum) compare(t Sum) int {
	return cmp.Or(cmp.Compare(s.Size, t.Size), bytes.Compare(s.Hash[:], t.Hash[:]))
}

// Set is a set of Sums. It does not change, and the zero Set is empty.
type Set struct {
	sums []Sum // in order, each once
}

// Digest names a list of contents, in its order: "sha256:...".
func Digest(sums []Sum) string {
	hash := sha256.New()
	for _, sum := range sums {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(sum.Size)))
		hash.Write(sum.Hash[:])
	}
	return digest.SHA256(hash.Sum(nil))
}

// NewSet makes a set of the sums, which may be in any order and repeat.
func NewSet(sums []Sum) Set {
	sums = slices.Clone(sums)
	slices.SortFunc(sums, Sum.compare)
	return Set{slices.Clip(slices.Compact(sums))}
}

// Union is the set of what s or t holds.
func (s Set) Union(t Set) Set { return NewSet(slices.Concat(s.sums, t.sums)) }

// Len is the number of Sums in the set.
func (s Set) Len() int { return len(s.sums) }

// Has reports whether the set holds sum.
func (s Set) Has(sum Sum) bool {
	_, found := slices.BinarySearchFunc(s.sums, sum, Sum.compare)
	return found
}

// HasSize reports whether the set holds a Sum of this size.
func (s Set) HasSize(size int64) bool {
	// The zero hash is the first of its size, whether it is there or not.
	i, _ := slices.BinarySearchFunc(s.sums, Sum{Size: size}, Sum.compare)
	return i < len(s.sums) && s.sums[i].Size == size
}

// encodedSum is the length of a Sum in a Set's text, before base64.
const encodedSum = 16

// MarshalText gives the set as text: base64 of its Sums in order, each the size
// (8 bytes, big-endian) and the hash. Equal sets give equal texts; there is no
// error.
func (s Set) MarshalText() ([]byte, error) {
	b := make([]byte, 0, encodedSum*len(s.sums))
	for _, sum := range s.sums {
		b = binary.BigEndian.AppendUint64(b, uint64(sum.Size))
		b = append(b, sum.Hash[:]...)
	}
	return base64.StdEncoding.AppendEncode(nil, b), nil
}

var errNotMarshalled = errors.New("not what a set of contents is written as")

// UnmarshalText reads what MarshalText gives, and nothing else. On an error the
// set stays as it was.
func (s *Set) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotMarshalled, err)
	}
	if base64.StdEncoding.EncodedLen(len(b)) != len(text) { // base64 skips line breaks
		return fmt.Errorf("%w: it has line breaks", errNotMarshalled)
	}
	if len(b)%encodedSum != 0 {
		return fmt.Errorf("%w: %d bytes are no multiple of %d", errNotMarshalled, len(b), encodedSum)
	}
	var sums []Sum
	for one := range slices.Chunk(b, encodedSum) {
		sum := Sum{Size: int64(binary.BigEndian.Uint64(one)), Hash: [8]byte(one[8:])}
		if n := len(sums); n > 0 && sums[n-1].compare(sum) >= 0 {
			return fmt.Errorf("%w: entry %d does not come after the one before it", errNotMarshalled, n)
		}
		sums = append(sums, sum)
	}
	s.sums = sums
	return nil
}
