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

// Sum identifies a file's content. Files with equal Sums count as identical: the hash is
// long enough to avoid accidental collisions, but not deliberate ones.
type Sum struct {
	Size int64   // in bytes
	Hash [8]byte // the first bytes of the content's SHA-256
}

// compare orders Sums by size, then hash.
func (s Sum) compare(t Sum) int {
	return cmp.Or(cmp.Compare(s.Size, t.Size), bytes.Compare(s.Hash[:], t.Hash[:]))
}

// Set is an immutable set of Sums. The zero Set is empty.
type Set struct {
	sums []Sum // sorted and unique
}

// Digest returns a hash "sha256:..." of a list of Sums, including their order.
func Digest(sums []Sum) string {
	hash := sha256.New()
	for _, sum := range sums {
		hash.Write(binary.BigEndian.AppendUint64(nil, uint64(sum.Size)))
		hash.Write(sum.Hash[:])
	}
	return digest.SHA256(hash.Sum(nil))
}

// NewSet returns the set of the sums, which may be in any order and repeat.
func NewSet(sums []Sum) Set {
	sums = slices.Clone(sums)
	slices.SortFunc(sums, Sum.compare)
	return Set{slices.Clip(slices.Compact(sums))}
}

// Union returns the union of s and t.
func (s Set) Union(t Set) Set { return NewSet(slices.Concat(s.sums, t.sums)) }

// Len returns the number of Sums in the set.
func (s Set) Len() int { return len(s.sums) }

// Has reports whether the set contains sum.
func (s Set) Has(sum Sum) bool {
	_, found := slices.BinarySearchFunc(s.sums, sum, Sum.compare)
	return found
}

// HasSize reports whether the set contains a Sum of this size.
func (s Set) HasSize(size int64) bool {
	// The zero hash sorts before all others of its size.
	i, _ := slices.BinarySearchFunc(s.sums, Sum{Size: size}, Sum.compare)
	return i < len(s.sums) && s.sums[i].Size == size
}

// encodedSum is the number of bytes of a Sum in a Set's text, before base64.
const encodedSum = 16

// MarshalText returns the set as text: base64 of its Sums in order, each as size (8 bytes,
// big-endian) and hash. Equal sets give equal texts. The error is always nil.
func (s Set) MarshalText() ([]byte, error) {
	b := make([]byte, 0, encodedSum*len(s.sums))
	for _, sum := range s.sums {
		b = binary.BigEndian.AppendUint64(b, uint64(sum.Size))
		b = append(b, sum.Hash[:]...)
	}
	return base64.StdEncoding.AppendEncode(nil, b), nil
}

var errNotMarshalled = errors.New("not a valid set of content hashes")

// UnmarshalText reads the output of MarshalText and accepts nothing else. On an error the
// set is unchanged.
func (s *Set) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotMarshalled, err)
	}
	if base64.StdEncoding.EncodedLen(len(b)) != len(text) { // the decoder skips line breaks
		return fmt.Errorf("%w: it has line breaks", errNotMarshalled)
	}
	if len(b)%encodedSum != 0 {
		return fmt.Errorf("%w: its length of %d bytes is not a multiple of %d", errNotMarshalled, len(b), encodedSum)
	}
	var sums []Sum
	for one := range slices.Chunk(b, encodedSum) {
		sum := Sum{Size: int64(binary.BigEndian.Uint64(one)), Hash: [8]byte(one[8:])}
		if n := len(sums); n > 0 && sums[n-1].compare(sum) >= 0 {
			return fmt.Errorf("%w: entry %d is not greater than the previous one", errNotMarshalled, n)
		}
		sums = append(sums, sum)
	}
	s.sums = sums
	return nil
}
