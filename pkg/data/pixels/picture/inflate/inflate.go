// Package inflate decompresses DEFLATE data (RFC 1951) whose decompressed size is known,
// from memory to memory. That makes it about three times as fast as compress/flate, which
// reads and writes streams: bits are taken from words of 64, a match is copied in words, and
// there is no window to keep.
package inflate

import (
	"encoding/binary"
	"errors"
	"hash/adler32"
)

// ErrCorrupt reports data that are malformed, cut short, or of another decompressed size.
var ErrCorrupt = errors.New("corrupt DEFLATE data")

// Zlib decompresses the zlib stream (RFC 1950) src into dst. It returns ErrCorrupt unless the
// stream takes up all of src and fills exactly dst; dst is then undefined. It accepts the
// streams that compress/zlib accepts without a dictionary.
func Zlib(dst, src []byte) error {
	const (
		head, checksum = 2, 4
		deflate        = 8    // the method, in the low four bits
		maxWindow      = 7    // 32 KiB, in the high four bits
		dictionary     = 0x20 // of the flags
	)
	if len(src) < head+checksum || src[0]&15 != deflate || src[0]>>4 > maxWindow ||
		binary.BigEndian.Uint16(src)%31 != 0 || src[1]&dictionary != 0 {
		return ErrCorrupt
	}
	packed := src[head:]
	used, err := Inflate(dst, packed)
	if err != nil {
		return err
	}
	if sum := packed[used:]; len(sum) != checksum || binary.BigEndian.Uint32(sum) != adler32.Checksum(dst) {
		return ErrCorrupt
	}
	return nil
}

// MaxRatio is the largest ratio of decompressed to compressed size: two bits can give a match
// of 258 bytes.
const MaxRatio = 4 * maxMatch

// Inflate decompresses the DEFLATE stream at the start of src into dst and returns the number
// of bytes of src that it takes up. It returns ErrCorrupt unless the stream fills exactly dst;
// dst is then undefined.
func Inflate(dst, src []byte) (used int, err error) {
	d := decoder{src: src, dst: dst}
	for last := false; !last; {
		d.fill()
		if d.valid < 3 {
			return 0, ErrCorrupt
		}
		last = d.take(1) == 1
		ok := false
		switch d.take(2) {
		case 0:
			ok = d.stored()
		case 1:
			ok = d.fixedCodes() && d.block()
		case 2:
			ok = d.dynamicCodes() && d.block()
		}
		if !ok {
			return 0, ErrCorrupt
		}
	}
	if d.out != len(dst) {
		return 0, ErrCorrupt
	}
	return d.in - int(d.valid/8), nil
}

// decoder is the state between two blocks.
type decoder struct {
	src, dst []byte
	in, out  int    // the next byte of each
	next     uint64 // the next bits, lowest first; above the valid ones, only bits of src[in:]
	valid    uint   // number of valid bits in next

	literals  [literalSlots]uint32
	distances [distanceSlots]uint32
}

// fill makes at least 56 bits valid, or all that are left.
func (d *decoder) fill() {
	if d.in+8 <= len(d.src) {
		d.next |= binary.LittleEndian.Uint64(d.src[d.in:]) << (d.valid & 63)
		d.in += int((63 - d.valid) >> 3)
		d.valid |= 56
		return
	}
	for d.valid <= 56 && d.in < len(d.src) {
		d.next |= uint64(d.src[d.in]) << (d.valid & 63)
		d.in++
		d.valid += 8
	}
}

// take returns the next n bits, which must be valid.
func (d *decoder) take(n uint) uint64 {
	v := d.next & (1<<(n&63) - 1)
	d.next >>= n & 63
	d.valid -= n
	return v
}

// stored copies a block that is not compressed.
func (d *decoder) stored() bool {
	const head = 4 // the length, and its complement
	d.in -= int(d.valid / 8)
	d.next, d.valid = 0, 0
	if d.in+head > len(d.src) {
		return false
	}
	length := binary.LittleEndian.Uint16(d.src[d.in:])
	if binary.LittleEndian.Uint16(d.src[d.in+2:]) != ^length {
		return false
	}
	from := d.src[d.in+head:]
	if int(length) > min(len(from), len(d.dst)-d.out) {
		return false
	}
	d.out += copy(d.dst[d.out:], from[:length])
	d.in += head + int(length)
	return true
}

const (
	maxMatch = 258
	// margin is the number of bytes of dst that one round of the fast loop may write: three
	// pairs of literals, or two and a match, whose last word may reach beyond its end.
	margin = 3*2 + maxMatch + 8
	// ahead is the number of bytes of src that one round of the fast loop may read.
	ahead = 2 * 8
)

// block decompresses the rest of a block with the decoder's tables.
func (d *decoder) block() bool {
	src, dst := d.src, d.dst
	literals, distances := &d.literals, &d.distances
	in, out, next, valid := d.in, d.out, d.next, d.valid // local copies stay in registers
	for in < len(src)-ahead && out < len(dst)-margin {
		next |= binary.LittleEndian.Uint64(src[in:]) << (valid & 63)
		in += int((63 - valid) >> 3)
		valid |= 56
		// 56 bits are enough for three codes that the first level of the table has.
		s := literals[next&(1<<literalBits-1)]
		if s&isLiteral != 0 {
			next >>= s & 63
			valid -= uint(s & 63)
			binary.LittleEndian.PutUint16(dst[out:], uint16(s>>valueAt))
			out += int(s >> countAt & 3)
			s = literals[next&(1<<literalBits-1)]
			if s&isLiteral != 0 {
				next >>= s & 63
				valid -= uint(s & 63)
				binary.LittleEndian.PutUint16(dst[out:], uint16(s>>valueAt))
				out += int(s >> countAt & 3)
				s = literals[next&(1<<literalBits-1)]
				if s&isLiteral != 0 {
					next >>= s & 63
					valid -= uint(s & 63)
					binary.LittleEndian.PutUint16(dst[out:], uint16(s>>valueAt))
					out += int(s >> countAt & 3)
					continue
				}
			}
			// A match takes up to 48 bits.
			next |= binary.LittleEndian.Uint64(src[in:]) << (valid & 63)
			in += int((63 - valid) >> 3)
			valid |= 56
		}
		if s&isLink != 0 {
			s = second(d.literals[:], s, next, literalBits)
		}
		if s&isLiteral != 0 { // with a long code
			next >>= s & 63
			valid -= uint(s & 63)
			binary.LittleEndian.PutUint16(dst[out:], uint16(s>>valueAt))
			out += int(s >> countAt & 3)
			continue
		}
		if s&isOther != 0 {
			d.in, d.out, d.next, d.valid = in, out, next>>(s&63), valid-uint(s&63)
			return s&isEnd != 0
		}
		length := value(s, next)
		next >>= s & 63
		valid -= uint(s & 63)

		s = distances[next&(1<<distanceBits-1)]
		if s&isLink != 0 {
			s = second(d.distances[:], s, next, distanceBits)
		}
		distance := value(s, next)
		if s&isOther != 0 || distance > out {
			return false
		}
		next >>= s & 63
		valid -= uint(s & 63)
		copyMatch(dst[out-distance:out+length+8], distance, length)
		out += length
	}
	d.in, d.out, d.next, d.valid = in, out, next, valid
	return d.carefully()
}

// value returns a slot's value plus the number in the extra bits behind its code.
func value(s uint32, next uint64) int {
	return int(s>>valueAt) + int((next&(1<<(s&63)-1))>>(s>>lengthAt&15))
}

// copyMatch repeats the distance bytes at the start of b until length bytes follow them. b
// has at least eight bytes beyond these, which become undefined.
func copyMatch(b []byte, distance, length int) {
	from, to := b, b[distance:]
	switch {
	case distance >= 8:
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(to[i:i+8], binary.LittleEndian.Uint64(from[i:i+8]))
		}
	case distance == 1:
		word := uint64(b[0]) * 0x0101010101010101
		for i := 0; i < length; i += 8 {
			binary.LittleEndian.PutUint64(to[i:i+8], word)
		}
	default:
		to = to[:length]
		for i := range to {
			to[i] = from[i]
		}
	}
}

// carefully is block near the end of src or dst: it checks for the end of both.
func (d *decoder) carefully() bool {
	for {
		d.fill()
		s := d.literals[d.next&(1<<literalBits-1)]
		if s&isLink != 0 {
			s = second(d.literals[:], s, d.next, literalBits)
		}
		length := value(s, d.next)
		if !d.skip(s) {
			return false
		}
		switch {
		case s&isEnd != 0:
			return true
		case s&isOther != 0:
			return false
		case s&isLiteral != 0:
			for count := s >> countAt & 3; count > 0; count-- {
				if d.out == len(d.dst) {
					return false
				}
				d.dst[d.out] = byte(s >> valueAt)
				d.out++
				s >>= 8
			}
			continue
		}
		d.fill()
		s = d.distances[d.next&(1<<distanceBits-1)]
		if s&isLink != 0 {
			s = second(d.distances[:], s, d.next, distanceBits)
		}
		distance := value(s, d.next)
		if s&isOther != 0 || distance > d.out || length > len(d.dst)-d.out || !d.skip(s) {
			return false
		}
		for range length {
			d.dst[d.out] = d.dst[d.out-distance]
			d.out++
		}
	}
}

// skip drops the bits of a code and its extra bits; false if the data end before.
func (d *decoder) skip(s uint32) bool {
	n := uint(s & 63)
	if n > d.valid {
		return false
	}
	d.next >>= n
	d.valid -= n
	return true
}
