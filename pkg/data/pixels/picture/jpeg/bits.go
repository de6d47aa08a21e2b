package jpeg

import "encoding/binary"

// bits reads the entropy-coded data of a scan, up to the next marker. After the end of
// the data it returns zeros and records whether any were used.
type bits struct {
	b      []byte
	at     int  // index of the next byte
	marker byte // the marker at which the data end; 0 if none was read yet

	next    uint64 // the next bits, highest first
	n       int    // number of valid bits in next
	padding int    // number of zeros at the end of those that replace missing data
	lacking bool   // zeros were used in place of missing data
}

const (
	// enough is the maximum number of bits of a code and the number after it.
	enough = 32
	word   = 64
)

// fill makes at least enough bits valid.
func (r *bits) fill() {
	if r.marker == 0 && r.at+8 <= len(r.b) {
		v := binary.BigEndian.Uint64(r.b[r.at:])
		if hasNoFF(v) {
			taken := (word - r.n) >> 3
			r.next |= v >> (word - 8*taken) << (word - 8*taken - r.n)
			r.n += 8 * taken
			r.at += taken
			return
		}
	}
	for r.n <= word-8 {
		v, ok := r.byte()
		if !ok {
			r.pad()
			return
		}
		r.next |= uint64(v) << (word - 8 - r.n)
		r.n += 8
	}
}

// hasNoFF reports whether none of the eight bytes of v is 0xff.
func hasNoFF(v uint64) bool {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	return (^v-ones)&v&highest == 0
}

// byte returns the next byte of the data; false at a marker and at the end.
func (r *bits) byte() (uint8, bool) {
	if r.marker != 0 || r.at >= len(r.b) {
		return 0, false
	}
	v := r.b[r.at]
	if v != 0xff {
		r.at++
		return v, true
	}
	at := r.at
	for at < len(r.b) && r.b[at] == 0xff {
		at++
	}
	if at >= len(r.b) {
		r.at = at
		return 0, false
	}
	r.at = at + 1
	if r.b[at] != 0 {
		r.marker = r.b[at]
		return 0, false
	}
	return 0xff, true
}

// pad adds zeros in place of missing data.
func (r *bits) pad() {
	r.lacking = r.isLacking()
	r.padding = min(r.padding, r.n) + word - r.n
	r.n = word
}

// isLacking reports whether zeros were used in place of missing data.
func (r *bits) isLacking() bool { return r.lacking || r.n < r.padding }

// drop discards the buffered bits, because new data begin after a marker.
func (r *bits) drop() {
	r.next, r.n, r.padding, r.lacking = 0, 0, 0, false
}

// symbol decodes one value. At least enough bits must be valid.
func (r *bits) symbol(h *huffman) uint8 {
	e := h.lookup[r.next>>(word-lookupBits)]
	if e == 0 {
		return r.longSymbol(h)
	}
	r.skip(int(e >> 8))
	return uint8(e)
}

// longSymbol decodes a value whose code is longer than lookupBits.
func (r *bits) longSymbol(h *huffman) uint8 {
	for length := lookupBits + 1; length <= maxCodeLength; length++ {
		if code := int32(r.next >> (word - length)); code <= h.largest[length] {
			r.skip(length)
			return h.values[uint8(code+h.offset[length])]
		}
	}
	r.skip(maxCodeLength + 1) // invalid code: libjpeg reads one more bit and returns 0
	return 0
}

func (r *bits) skip(n int) {
	r.next <<= n & (word - 1)
	r.n -= n
}

// take returns the next n bits, at most 16, as a number. They must be valid.
func (r *bits) take(n int) int32 {
	v := int32(r.next >> (word - n)) // 0 for n = 0
	r.skip(n)
	return v
}

// signed returns a number of n bits, the lower half of whose values means negative numbers.
func (r *bits) signed(n int) int32 {
	v := r.take(n)
	if v < 1<<n>>1 {
		v += -1<<n + 1
	}
	return v
}
