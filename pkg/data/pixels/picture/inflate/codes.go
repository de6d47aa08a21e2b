package inflate

// orderOf is the order in which a block stores the lengths of the codes for lengths.
var orderOf = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// literalSymbols and distanceSymbols are the slots of the symbols, without their codes'
// lengths. The last symbols of both are not valid.
var (
	literalSymbols = func() (s [maxLiterals]uint32) {
		for i := range endOfBlock {
			s[i] = uint32(i)<<valueAt | 1<<countAt | isLiteral
		}
		s[endOfBlock] = isOther | isEnd
		const first, last = endOfBlock + 1, endOfBlock + 29
		length := uint32(3)
		for i := first; i < last; i++ {
			extra := max(0, (i-first)/4-1)
			s[i] = length<<valueAt | uint32(extra)
			length += 1 << extra
		}
		s[last] = maxMatch << valueAt
		s[last+1], s[last+2] = isOther, isOther
		return s
	}()
	distanceSymbols = func() (s [maxDistances]uint32) {
		const count = 30
		distance := uint32(1)
		for i := range count {
			extra := max(0, i/2-1)
			s[i] = distance<<valueAt | uint32(extra)
			distance += 1 << extra
		}
		s[count], s[count+1] = isOther, isOther
		return s
	}()
	orderSymbols = func() (s [len(orderOf)]uint32) {
		for i := range s {
			s[i] = uint32(i) << valueAt
		}
		return s
	}()
)

// fixedCodes makes the tables of the codes that the standard defines.
func (d *decoder) fixedCodes() bool {
	var lengths [maxLiterals]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	ok := build(d.literals[:], literalBits, lengths[:], literalSymbols[:])
	for i := range maxDistances {
		lengths[i] = 5
	}
	pair(d.literals[:1<<literalBits], literalBits)
	return ok && build(d.distances[:], distanceBits, lengths[:maxDistances], distanceSymbols[:])
}

// dynamicCodes makes the tables of the codes at the start of a block.
func (d *decoder) dynamicCodes() bool {
	const counts = 5 + 5 + 4 // bits
	d.fill()
	if d.valid < counts {
		return false
	}
	literals, distances, orders := int(d.take(5))+257, int(d.take(5))+1, int(d.take(4))+4
	if literals > maxLiterals-2 || distances > maxDistances-2 {
		return false
	}
	var order [len(orderOf)]uint8
	for _, symbol := range orderOf[:orders] {
		d.fill()
		if d.valid < 3 {
			return false
		}
		order[symbol] = uint8(d.take(3))
	}
	var slots [1 << orderBits]uint32
	var lengths [maxLiterals + maxDistances]uint8
	all := lengths[:literals+distances]
	ok := build(slots[:], orderBits, order[:], orderSymbols[:]) && d.lengths(all, &slots) &&
		build(d.literals[:], literalBits, all[:literals], literalSymbols[:]) &&
		build(d.distances[:], distanceBits, all[literals:], distanceSymbols[:])
	pair(d.literals[:1<<literalBits], literalBits)
	return ok
}

// lengths reads the lengths of codes, which are coded themselves.
func (d *decoder) lengths(all []uint8, slots *[1 << orderBits]uint32) bool {
	const before, fewZeros = 16, 17
	for i := 0; i < len(all); {
		d.fill()
		s := slots[d.next&(1<<orderBits-1)]
		if s&isOther != 0 || !d.skip(s) {
			return false
		}
		symbol := uint8(s >> valueAt)
		if symbol < before {
			all[i] = symbol
			i++
			continue
		}
		value, least, extra := uint8(0), 11, uint(7)
		switch symbol {
		case before:
			if i == 0 {
				return false
			}
			value, least, extra = all[i-1], 3, 2
		case fewZeros:
			least, extra = 3, 3
		}
		if d.valid < extra {
			return false
		}
		repeat := least + int(d.take(extra))
		if repeat > len(all)-i {
			return false
		}
		for range repeat {
			all[i] = value
			i++
		}
	}
	return true
}
