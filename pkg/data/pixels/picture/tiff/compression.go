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

// compression is the scheme by which the bytes of a strip or tile are compressed.
type compression int64

const (
	plain        compression = 1
	faxRows      compression = 2 // CCITT's run lengths, each row from a new byte on
	fax3         compression = 3
	fax4         compression = 4
	lzwCodes     compression = 5
	jpegInside   compression = 7
	deflate      compression = 8
	faxWords     compression = 32771 // as faxRows, each row from an even byte on
	packBits     compression = 32773
	deflateOlder compression = 32946
)

func (c compression) isFax() bool {
	return c == faxRows || c == fax3 || c == fax4 || c == faxWords
}

// predicts reports whether samples may be stored as differences from others.
func (c compression) predicts() bool { return c == lzwCodes || c == deflate || c == deflateOlder }

// packed is the compressed bytes of one strip or tile, and what is known of the bytes in it.
type packed struct {
	bytes    []byte
	rowBytes int   // of an unpacked row
	width    int   // of a row, in pixels
	options  int64 // T4Options, of CCITT's group 3
}

// codec fills dst, a number of whole rows. Too few bytes are io.ErrUnexpectedEOF.
type codec func(u *unpacker, dst []byte, src packed) error

// unpacker is what codecs keep from one strip or tile to the next.
type unpacker struct {
	zlib io.ReadCloser
}

func alone(unpack func(dst []byte, src packed) error) codec {
	return func(_ *unpacker, dst []byte, src packed) error { return unpack(dst, src) }
}

// codecs are the schemes that pack bytes. JPEG packs pixels, and stands apart.
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

// unread are the names of the schemes that are not read.
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
	} else { // a new one for each strip would take most of the time of small strips
		err = u.zlib.(zlib.Resetter).Reset(bytes.NewReader(src.bytes), nil)
	}
	if err != nil {
		u.zlib = nil
		return err
	}
	return readFull(u.zlib, dst)
}

// readFull is io.ReadFull for which any end within dst comes too early.
func readFull(r io.Reader, dst []byte) error {
	_, err := io.ReadFull(r, dst)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// unLZW reads TIFF's LZW, and the one that writers of before TIFF 5.0 made: that has
// its lowest bit first, is as GIF's, and starts with the code 256 in nine bits.
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
		case code == -128: // nothing
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

// reverseBits returns the bytes with the bits of each turned round.
func reverseBits(b []byte) []byte {
	out := make([]byte, len(b))
	for i, v := range b {
		out[i] = bits.Reverse8(v)
	}
	return out
}
