package jpeg

import "errors"

const (
	maxCodeLength = 16
	numberBits    = 10
	lookupBits    = 9 // codes of at most this length are decoded by one table lookup
)

var errHuffman = errors.New("malformed Huffman table")

// huffmanCodes is a Huffman table as in a segment.
type huffmanCodes struct {
	counts [maxCodeLength + 1]uint8 // number of codes of each length
	values []byte                   // at most 256, in the order of their codes
	table  *huffman                 // created when a scan first uses it
}

// parseHuffman reads the 16 counts and the values at the start of b.
func parseHuffman(b []byte) (*huffmanCodes, error) {
	h := &huffmanCodes{}
	sum := 0
	for i := range maxCodeLength {
		h.counts[1+i] = b[i]
		sum += int(b[i])
	}
	if sum > 256 || len(b) < maxCodeLength+sum {
		return nil, errHuffman
	}
	h.values = b[maxCodeLength:][:sum]
	return h, nil
}

// huffman is a Huffman table for decoding.
type huffman struct {
	// lookup maps the next lookupBits bits to the code's length times 256 plus its
	// value; 0 if the code is longer.
	lookup  [1 << lookupBits]uint16
	largest [maxCodeLength + 2]int32 // largest code of each length; -1 if there is none
	offset  [maxCodeLength + 2]int32 // difference between the index of a value and its code, per length
	values  [256]uint8
	// number maps the next numberBits bits to a whole AC coefficient: its value, the number of
	// zeros before it, and the number of bits, from bits 16, 8 and 0; 0 if it is longer, or
	// none. Only sequential scans use it.
	number [1 << numberBits]uint32
}

// ready returns the table for decoding. A value above largest is an error: the limit is
// 15 for DC tables, whose values are numbers of bits.
func (h *huffmanCodes) ready(largest uint8) (*huffman, error) {
	for _, v := range h.values {
		if v > largest {
			return nil, errHuffman
		}
	}
	if h.table != nil {
		return h.table, nil
	}
	t := &huffman{}
	copy(t.values[:], h.values)
	code, at := int32(0), int32(0)
	for length := int32(1); length <= maxCodeLength; length++ {
		count := int32(h.counts[length])
		t.largest[length], t.offset[length] = -1, at-code
		if count > 0 {
			if code+count > 1<<length {
				return nil, errHuffman
			}
			for i := range count {
				t.enter(code+i, length, h.values[at+i])
			}
			at += count
			code += count
			t.largest[length] = code - 1
		}
		code <<= 1
	}
	h.table = t
	return t, nil
}

// enter fills the entries of lookup that begin with the code.
func (t *huffman) enter(code, length int32, value uint8) {
	if length > lookupBits {
		return
	}
	free := lookupBits - length
	for i := range int32(1) << free {
		t.lookup[code<<free|i] = uint16(length)<<8 | uint16(value)
	}
}

// enterNumbers fills number.
func (t *huffman) enterNumbers() {
	for next := range t.number {
		e := t.lookup[next>>(numberBits-lookupBits)]
		length, zeros, size := int(e>>8), uint32(e>>4&15), int(e&15)
		if left := numberBits - length - size; size > 0 && left >= 0 {
			v := next >> left & (1<<size - 1)
			if v < 1<<size>>1 { // as in bits.signed
				v += -1<<size + 1
			}
			t.number[next] = uint32(v)<<16 | zeros<<8 | uint32(length+size)
		}
	}
}

// standardTables fills slots that are empty when a sequential scan begins with the
// tables of the JPEG standard's annex K.3, which motion JPEG omits.
func (d *decoder) standardTables() {
	fill := func(slot **huffmanCodes, counts, values string) {
		if *slot == nil {
			*slot, _ = parseHuffman([]byte(counts + values))
		}
	}
	const dcValues = "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"
	fill(&d.dc[0], "\x00\x01\x05\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00", dcValues)
	fill(&d.dc[1], "\x00\x03\x01\x01\x01\x01\x01\x01\x01\x01\x01\x00\x00\x00\x00\x00", dcValues)
	fill(&d.ac[0], "\x00\x02\x01\x03\x03\x02\x04\x03\x05\x05\x04\x04\x00\x00\x01\x7d",
		"\x01\x02\x03\x00\x04\x11\x05\x12\x21\x31\x41\x06\x13\x51\x61\x07"+
			"\x22\x71\x14\x32\x81\x91\xa1\x08\x23\x42\xb1\xc1\x15\x52\xd1\xf0"+
			"\x24\x33\x62\x72\x82\x09\x0a\x16\x17\x18\x19\x1a\x25\x26\x27\x28"+
			"\x29\x2a\x34\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48\x49"+
			"\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68\x69"+
			"\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x83\x84\x85\x86\x87\x88\x89"+
			"\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5\xa6\xa7"+
			"\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3\xc4\xc5"+
			"\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xe1\xe2"+
			"\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8"+
			"\xf9\xfa")
	fill(&d.ac[1], "\x00\x02\x01\x02\x04\x04\x03\x04\x07\x05\x04\x04\x00\x01\x02\x77",
		"\x00\x01\x02\x03\x11\x04\x05\x21\x31\x06\x12\x41\x51\x07\x61\x71"+
			"\x13\x22\x32\x81\x08\x14\x42\x91\xa1\xb1\xc1\x09\x23\x33\x52\xf0"+
			"\x15\x62\x72\xd1\x0a\x16\x24\x34\xe1\x25\xf1\x17\x18\x19\x1a\x26"+
			"\x27\x28\x29\x2a\x35\x36\x37\x38\x39\x3a\x43\x44\x45\x46\x47\x48"+
			"\x49\x4a\x53\x54\x55\x56\x57\x58\x59\x5a\x63\x64\x65\x66\x67\x68"+
			"\x69\x6a\x73\x74\x75\x76\x77\x78\x79\x7a\x82\x83\x84\x85\x86\x87"+
			"\x88\x89\x8a\x92\x93\x94\x95\x96\x97\x98\x99\x9a\xa2\xa3\xa4\xa5"+
			"\xa6\xa7\xa8\xa9\xaa\xb2\xb3\xb4\xb5\xb6\xb7\xb8\xb9\xba\xc2\xc3"+
			"\xc4\xc5\xc6\xc7\xc8\xc9\xca\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda"+
			"\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xf2\xf3\xf4\xf5\xf6\xf7\xf8"+
			"\xf9\xfa")
}
