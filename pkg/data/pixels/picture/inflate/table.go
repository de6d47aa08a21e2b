package inflate

import "math/bits"

// A decoding table maps the next bits to a slot, which describes the code that they start
// with. Codes that are longer than the index are in a second level: their first bits map to a
// link to it.
const (
	// The lowest six bits of a slot are the number of bits of the code and of the extra bits
	// behind it.
	lengthAt  = 6       // four bits: the number of bits of the code alone
	isLiteral = 1 << 10 // the value is bytes
	isLink    = 1 << 11 // the value is the index of the second level's part, the lowest bits are the size of its index
	isOther   = 1 << 12 // the end of the block, or no code
	isEnd     = 1 << 13 // the end of the block
	countAt   = 14      // of a literal: the number of bytes, one or two
	valueAt   = 16      // a byte or two, or the smallest length or distance
)

const (
	maxCode    = 15  // bits of the longest code
	endOfBlock = 256 // the symbol; lengths follow it

	// The numbers of symbols that may have a code. Not all of them are valid.
	maxLiterals, maxDistances = 288, 32

	// The bits of the first level's index.
	literalBits, distanceBits, orderBits = 11, 8, 7
	// A part of the second level has at least two codes.
	literalSlots  = 1<<literalBits + maxLiterals/2<<(maxCode-literalBits)
	distanceSlots = 1<<distanceBits + maxDistances/2<<(maxCode-distanceBits)
)

// build fills a table whose first level has an index of first bits. lengths has the number of
// bits of each symbol's code, and symbols the slots without them. It returns false unless the
// codes are complete, or a single one of one bit, or there are none.
func build(slots []uint32, first int, lengths []uint8, symbols []uint32) bool {
	var counts [maxCode + 1]int
	for _, n := range lengths {
		counts[n]++
	}
	counts[0] = 0
	var codes [maxCode + 1]int // the next code of each length
	code, longest := 0, 0
	for n := 1; n <= maxCode; n++ {
		code <<= 1
		codes[n] = code
		code += counts[n]
		if counts[n] > 0 {
			longest = n
		}
	}
	if code != 1<<maxCode { // also true for too many codes
		if longest > 1 || counts[1] > 1 {
			return false
		}
		fillSlots(slots[:1<<first], 0, 1, isOther)
	}
	size := max(0, longest-first) // of the indexes of the second level
	linked := codes[min(first+1, maxCode)] >> 1
	if size > 0 {
		for prefix := linked; prefix < 1<<first; prefix++ {
			at := 1<<first + (prefix-linked)<<size
			slots[reversed(prefix, first)] = uint32(at)<<valueAt | isLink | uint32(size)
		}
	}
	for symbol, n := range lengths {
		if n == 0 {
			continue
		}
		n, slot := int(n), symbols[symbol]
		slot += uint32(n)<<lengthAt | uint32(n)
		code := codes[n]
		codes[n]++
		if n <= first {
			fillSlots(slots[:1<<first], reversed(code, n), 1<<n, slot)
			continue
		}
		at := 1<<first + (code>>(n-first)-linked)<<size
		fillSlots(slots[at:at+1<<size], reversed(code, n)>>first, 1<<(n-first), slot)
	}
	return true
}

// pair makes slots of two literals where both of their codes fit in the index of first bits.
func pair(slots []uint32, first int) {
	for i := len(slots) - 1; i >= 0; i-- { // a slot that follows another has a smaller index, or is the same
		s := slots[i]
		if s&isLiteral == 0 {
			continue
		}
		next := slots[i>>(s&63)]
		if size := s&63 + next&63; next&isLiteral != 0 && size <= uint32(first) {
			slots[i] = next>>valueAt<<(valueAt+8) | s>>valueAt<<valueAt | 2<<countAt | isLiteral | size
		}
	}
}

// fillSlots sets each step-th slot from at on.
func fillSlots(slots []uint32, at, step int, slot uint32) {
	for ; at < len(slots); at += step {
		slots[at] = slot
	}
}

// reversed returns a code of n bits with its first bit lowest, as it stands in the data.
func reversed(code, n int) int { return int(bits.Reverse16(uint16(code)) >> (16 - n)) }

// second follows a link from the first level, whose index has first bits.
func second(slots []uint32, link uint32, next uint64, first int) uint32 {
	return slots[uint64(link>>valueAt)+next>>first&(1<<(link&63)-1)]
}
