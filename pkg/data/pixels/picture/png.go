package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	standard "image/png"
	"io"
	"iter"
	"strings"

	"acdclip/pkg/data/pixels/picture/png"
)

const (
	pngMagic   = "\x89PNG\r\n\x1a\n"
	ihdrLength = 13
)

// pngChunk is one chunk of a PNG. The last one may be truncated.
type pngChunk struct {
	name string
	body []byte
	sum  []byte // the checksum in the file; nil if the chunk is truncated
}

// good reports whether the chunk is complete and its checksum correct.
func (c pngChunk) good() bool {
	return c.sum != nil && pngSum(c.name, c.body) == binary.BigEndian.Uint32(c.sum)
}

func pngSum(name string, body []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE([]byte(name)), crc32.IEEETable, body)
}

// pngChunks yields the chunks up to IEND or the end of the file.
func pngChunks(b []byte) iter.Seq[pngChunk] {
	const head, checksum = 8, 4
	return func(yield func(pngChunk) bool) {
		for at := uint64(len(pngMagic)); at+head <= uint64(len(b)); {
			c := pngChunk{name: string(b[at+4 : at+head])}
			end := at + head + uint64(binary.BigEndian.Uint32(b[at:]))
			if end+checksum <= uint64(len(b)) {
				c.sum = b[end : end+checksum]
			}
			c.body = b[at+head : min(end, uint64(len(b)))]
			if c.name == "IEND" || !yield(c) {
				return
			}
			at = end + checksum
		}
	}
}

// storedPNG decodes the usual kinds with package png, and others with the standard library.
// If that fails on a damaged file, it retries with the reduced copy of plainPNG, since Pillow
// tolerates more errors.
func storedPNG(b []byte) (image.Image, error) {
	if m := png.Decode(b); m != nil {
		return m, nil
	}
	m, err := standard.Decode(bytes.NewReader(b))
	if err == nil {
		return m, nil
	}
	if feature, ok := errors.AsType[standard.UnsupportedError](err); ok {
		return nil, fmt.Errorf("%w: %s", ErrNotSupported, string(feature))
	}
	plain, plainErr := plainPNG(b)
	if plainErr != nil {
		return nil, err
	}
	if m, plainErr = standard.Decode(bytes.NewReader(plain)); plainErr != nil {
		return nil, err
	}
	return m, nil
}

// plainPNG returns a copy of a PNG with only the chunks that the pixels need. As in
// Pillow, all checksums before the pixels must be correct; those of the pixels and all
// later chunks may be wrong or missing.
func plainPNG(b []byte) ([]byte, error) {
	var header, palette, packed []byte
	for c := range pngChunks(b) {
		if c.name != "IDAT" && packed != nil {
			break
		}
		if c.name != "IDAT" && !c.good() {
			return nil, errors.New("wrong checksum")
		}
		switch c.name {
		case "IHDR":
			header = c.body
		case "PLTE":
			palette = c.body
		case "IDAT":
			packed = append(packed, c.body...)
		}
	}
	if len(header) < ihdrLength {
		return nil, io.ErrUnexpectedEOF
	}
	header = header[:ihdrLength]
	pixels, err := repackedPNG(packed, pngBytes(header))
	if err != nil {
		return nil, err
	}
	out := appendChunk([]byte(pngMagic), "IHDR", header)
	if header[9] == pngPalette {
		most := 3 << min(header[8], 8)
		out = appendChunk(out, "PLTE", palette[:min(len(palette)/3*3, most)])
	}
	out = appendChunk(out, "IDAT", pixels)
	return appendChunk(out, "IEND", nil), nil
}

const pngPalette = 3 // the color type

func appendChunk(out []byte, name string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	out = append(append(out, name...), body...)
	return binary.BigEndian.AppendUint32(out, pngSum(name, body))
}

// repackedPNG recompresses exactly size bytes of the compressed data.
func repackedPNG(packed []byte, size int64) ([]byte, error) {
	in, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.NoCompression)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(w, in, size); err != nil {
		return nil, err
	}
	// The stream may end here or continue, but an error in it makes the pixels unreliable.
	if _, err := in.Read(make([]byte, 1)); err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// pngBytes returns the uncompressed size of the rows of a PNG with that header.
func pngBytes(header []byte) int64 {
	width, height := int64(binary.BigEndian.Uint32(header)), int64(binary.BigEndian.Uint32(header[4:]))
	samples := map[uint8]int64{2: 3, 4: 2, 6: 4}[header[9]]
	bits := max(samples, 1) * int64(header[8])
	if header[12] == 0 {
		return rowsBytes(width, height, bits)
	}
	sum := int64(0)
	for _, p := range [...]struct{ left, top, right, down int64 }{
		{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}, // Adam7
	} {
		sum += rowsBytes((width-p.left+p.right-1)/p.right, (height-p.top+p.down-1)/p.down, bits)
	}
	return sum
}

func rowsBytes(width, height, bits int64) int64 {
	if width == 0 {
		return 0
	}
	return height * (1 + (width*bits+7)/8)
}

// pngMetadata reads EXIF and XMP from all chunks that programs use: an eXIf chunk, a
// text chunk of that name, or ImageMagick's hexadecimal text.
func pngMetadata(b []byte) (m metadata) {
	var raw []byte
	for c := range pngChunks(b) {
		if c.name == "eXIf" {
			m.exif = c.body
		}
		key, text := c.text()
		switch key {
		case "exif":
			m.exif = text
		case "Raw profile type exif":
			raw = text
		case "XML:com.adobe.xmp":
			m.xmp = text
		}
	}
	if m.exif == nil && raw != nil {
		m.exif = unhexed(raw)
	}
	return m
}

// unhexed decodes a raw profile: an empty line, its name, its length and hexadecimal digits.
func unhexed(text []byte) []byte {
	const before = 3
	lines := bytes.Split(text, []byte("\n"))
	digits := strings.Join(strings.Fields(string(bytes.Join(lines[min(before, len(lines)):], nil))), "")
	b, err := hex.DecodeString(digits)
	if err != nil {
		return nil
	}
	return b
}

// text returns the keyword and content of a text chunk; an empty keyword for other chunks.
func (c pngChunk) text() (key string, text []byte) {
	name, rest, _ := bytes.Cut(c.body, []byte{0})
	switch c.name {
	case "tEXt":
		return string(name), rest
	case "zTXt":
		if len(rest) > 0 && rest[0] == 0 {
			return string(name), unpackedText(rest[1:])
		}
	case "iTXt":
		if len(rest) < 2 {
			break
		}
		packed := rest[0] != 0
		parts := bytes.SplitN(rest[2:], []byte{0}, 3) // language, keyword in that language, text
		switch {
		case len(parts) < 3 || packed && rest[1] != 0:
		case packed:
			return string(name), unpackedText(parts[2])
		default:
			return string(name), parts[2]
		}
	}
	return "", nil
}

// unpackedText decompresses a text up to Pillow's limit.
func unpackedText(b []byte) []byte {
	const limit = 1 << 20
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil
	}
	return text
}
