package tiff

import (
	"bytes"
	"compress/lzw"
	"compress/zlib"
	"errors"
	"io"
	"math/bits"

	tifflzw "golang.org/x/image/tiff/lzw"
)

// compression is the compression scheme of strips and tiles.
type compression int64

const (
	plain        compression = 1
	faxRows      compression = 2 // CCITT run lengths, each row starts at a byte boundary
	fax3         compression = 3
	fax4         compression = 4
	lzwCodes     compression = 5
	jpegInside   compression = 7
	deflate      compression = 8
	faxWords     compression = 32771 // like faxRows, each row starts at an even byte
	packBits     compression = 32773
	deflateOlder compression = 32946
)

func (c compression) isFax() bool {
	return c == faxRows || c == fax3 || c == fax4 || c == faxWords
}

// predicts reports whether the scheme supports a predictor.
func (c compression) predicts() bool { return c == lzwCodes || c == deflate || c == deflateOlder }

// packed is the compressed bytes of one strip or tile, with their parameters.
type packed struct {
	bytes    []byte
	rowBytes int   // bytes per decompressed row
	width    int   // pixels per row
	options  int64 // T4Options, for CCITT group 3
}

// codec decompresses src into dst, a number of whole rows. Missing bytes give io.ErrUnexpectedEOF.
type codec func(u *unpacker, dst []byte, src packed) error

// unpacker is the state that codecs reuse between strips or tiles.
type unpacker struct {
	zlib io.ReadCloser
}

func alone(unpack func(dst []byte, src packed) error) codec {
	return func(_ *unpacker, dst []byte, src packed) error { return unpack(dst, src) }
}

// codecs are the schemes that compress bytes. JPEG compresses pixels and is handled separately.
var codecs = map[compression]codec{
	faxRows:      alone(unfax),
	fax3:         alone(unfax3),
	fax4:         alone(unfax4),
	lzwCodes:     alone(unLZW),
	deflate:      (*unpacker).inflate,
	faxWords:     alone(unfaxWords),
	packBits:     alone(unpackBits),
	deflateOlder: (*unpacker).inflate,
}

// unread are the names of the unsupported schemes.
var unread = map[compression]string{
	6: "old-style JPEG", 9: "JBIG", 10: "JBIG", 32766: "NeXT compression", 32809: "ThunderScan compression", 32908: "PixarFilm compression",
	32909: "PixarLog compression", 32947: "Kodak DCS compression", 33003: "JPEG 2000", 33004: "JPEG 2000", 33005: "JPEG 2000", 34661: "JBIG",
	34676: "LogLuv compression", 34677: "LogLuv compression", 34712: "JPEG 2000", 34713: "Nikon NEF compression", 34887: "LERC",
	34892: "lossy JPEG of a DNG", 34925: "LZMA", 34926: "Zstandard", 34927: "WebP", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL",
	52546: "JPEG XL",
}

func (u *unpacker) inflate(dst []byte, src packed) (err error) {
	if u.zlib == nil {
		u.zlib, err = zlib.NewReader(bytes.NewReader(src.bytes))
	} else { // allocating a reader per strip would dominate the time for small strips
		err = u.zlib.(zlib.Resetter).Reset(bytes.NewReader(src.bytes), nil)
	}
	if err != nil {
		u.zlib = nil
		return err
	}
	return readFull(u.zlib, dst)
}

// readFull is io.ReadFull, but returns io.ErrUnexpectedEOF for any early end.
func readFull(r io.Reader, dst []byte) error {
	_, err := io.ReadFull(r, dst)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// unLZW decompresses TIFF's LZW, and the variant from before TIFF 5.0, which is like
// GIF's: lowest bit first. A stream of that variant starts with the 9-bit code 256.
func unLZW(dst []byte, src packed) error {
	if b := src.bytes; len(b) > 1 && b[0] == 0 && b[1]&1 == 1 {
		return readFull(lzw.NewReader(bytes.NewReader(b), lzw.LSB, 8), dst)
	}
	return readFull(tifflzw.NewReader(bytes.NewReader(src.bytes), tifflzw.MSB, 8), dst)
}

func unpackBits(dst []byte, src packed) error {
	b := src.bytes
	for len(dst) > 0 {
		if len(b) < 2 {
			return io.ErrUnexpectedEOF
		}
		code := int8(b[0])
		switch {
		case code >= 0:
			length := int(code) + 1
			n := copy(dst, b[1:min(1+length, len(b))])
			if n < min(length, len(dst)) {
				return io.ErrUnexpectedEOF
			}
			dst, b = dst[n:], b[min(1+length, len(b)):]
		case code == -128: // no operation
			b = b[1:]
		default:
			n := min(1-int(code), len(dst))
			for i := range n {
				dst[i] = b[1]
			}
			dst, b = dst[n:], b[2:]
		}
	}
	return nil
}

// reverseBits returns the bytes with the bits of each byte in reverse order.
func reverseBits(b []byte) []byte {
	out := make([]byte, len(b))
	for i, v := range b {
		out[i] = bits.Reverse8(v)
	}
	return out
}
