package contents

import (
	"bytes"
	"crypto/sha256"
	"slices"
)

// The cache file consists of the format's name and version, the entries sorted by key,
// and the SHA-256 of all that.
const (
	format       = "acdclip hashes 1\n"
	encodedEntry = 16 + 8
	maxEntries   = 1 << 21
	maxEncoded   = len(format) + maxEntries*encodedEntry + sha256.Size
)

// entry is one cached hash.
type entry struct {
	key  [16]byte // from cache.key
	hash [8]byte
}

func (e entry) compare(f entry) int { return bytes.Compare(e.key[:], f.key[:]) }

func encode(entries []entry) []byte {
	b := make([]byte, 0, len(format)+encodedEntry*len(entries)+sha256.Size)
	b = append(b, format...)
	for _, e := range entries {
		b = append(b, e.key[:]...)
		b = append(b, e.hash[:]...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// decode returns the entries of an encoded cache; none if it is damaged or of another
// version.
func decode(b []byte) []entry {
	body := len(b) - len(format) - sha256.Size
	if body < 0 || body%encodedEntry != 0 || string(b[:len(format)]) != format {
		return nil
	}
	b, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if sha256.Sum256(b) != [sha256.Size]byte(sum) {
		return nil
	}
	entries := make([]entry, 0, body/encodedEntry)
	for one := range slices.Chunk(b[len(format):], encodedEntry) {
		entries = append(entries, entry{key: [16]byte(one), hash: [8]byte(one[16:])})
	}
	return entries
}
