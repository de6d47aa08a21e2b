package weights

import (
	"encoding/binary"
	"fmt"
	"math"

	"acdclip/pkg/float16"
)

// DType is the type of a tensor's elements as they are stored.
type DType uint8

const (
	F16 DType = iota + 1
	BF16
	F32
	F64
	I8
	I16
	I32
	I64
	U8
	Bool
)

// dtypes is the name of each type in a safetensors header and its size in bytes.
var dtypes = [...]struct {
	name string
	size int64
}{
	F16:  {"F16", 2},
	BF16: {"BF16", 2},
	F32:  {"F32", 4},
	F64:  {"F64", 8},
	I8:   {"I8", 1},
	I16:  {"I16", 2},
	I32:  {"I32", 4},
	I64:  {"I64", 8},
	U8:   {"U8", 1},
	Bool: {"BOOL", 1},
}

// String returns the type's name in safetensors, such as "BF16".
func (d DType) String() string {
	if !d.valid() {
		return fmt.Sprintf("DType(%d)", uint8(d))
	}
	return dtypes[d].name
}

// Size returns the number of bytes of one element; 0 for an invalid type.
func (d DType) Size() int64 {
	if !d.valid() {
		return 0
	}
	return dtypes[d].size
}

func (d DType) valid() bool { return d >= F16 && d <= Bool }

func dtypeByName(name string) (DType, bool) {
	for d := F16; d <= Bool; d++ {
		if dtypes[d].name == name {
			return d, true
		}
	}
	return 0, false
}

// decodeFloat32 converts len(dst) stored little-endian elements. Float64 and wide
// integers are rounded to the nearest float32; booleans are 0 or 1.
func (d DType) decodeFloat32(dst []float32, raw []byte) {
	switch d {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case F16:
		float16.Decode(dst, raw)
	case BF16:
		for i := range dst {
			dst[i] = bfloat16ToFloat32(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	case F64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		}
	default:
		for i := range dst {
			dst[i] = float32(d.integerAt(raw, i))
		}
	}
}

// bfloat16ToFloat32 widens a bfloat16, which is the upper half of a float32.
func bfloat16ToFloat32(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

func (d DType) integerAt(raw []byte, i int) int64 {
	switch d {
	case I8:
		return int64(int8(raw[i]))
	case U8:
		return int64(raw[i])
	case Bool:
		if raw[i] != 0 {
			return 1
		}
		return 0
	case I16:
		return int64(int16(binary.LittleEndian.Uint16(raw[2*i:])))
	case I32:
		return int64(int32(binary.LittleEndian.Uint32(raw[4*i:])))
	default:
		return int64(binary.LittleEndian.Uint64(raw[8*i:]))
	}
}
