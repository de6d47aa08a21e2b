package tiff

import "encoding/binary"

// predictor is the transform of samples before compression.
type predictor int64

const (
	noPredictor predictor = 1
	differences predictor = 2 // each sample is stored as the difference from the previous pixel's
	floatBytes  predictor = 3 // the bytes of floats, grouped by significance, are stored as differences
)

// undo restores the samples of a row in place. A pixel has stride samples.
func (k predictor) undo(row []byte, bits, stride int, order binary.ByteOrder) {
	switch {
	case k == differences && bits == 8:
		sumBytes(row, stride)
	case k == differences && bits == 16:
		for i := 2 * stride; i+1 < len(row); i += 2 {
			order.PutUint16(row[i:], order.Uint16(row[i:])+order.Uint16(row[i-2*stride:]))
		}
	case k == differences && bits == 32:
		for i := 4 * stride; i+3 < len(row); i += 4 {
			order.PutUint32(row[i:], order.Uint32(row[i:])+order.Uint32(row[i-4*stride:]))
		}
	case k == floatBytes:
		sumBytes(row, stride)
		joinFloats(row, order)
	}
}

func sumBytes(row []byte, stride int) {
	if len(row) <= stride {
		return
	}
	before := row[:len(row)-stride]
	for i, v := range before {
		row[stride+i] += v
	}
}

// joinFloats reassembles floats from four groups of bytes, most significant group first.
func joinFloats(row []byte, order binary.ByteOrder) {
	n := len(row) / 4
	apart := append([]byte(nil), row...)
	for i := range n {
		v := uint32(apart[i])<<24 | uint32(apart[n+i])<<16 | uint32(apart[2*n+i])<<8 | uint32(apart[3*n+i])
		order.PutUint32(row[4*i:], v)
	}
}
