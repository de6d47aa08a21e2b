// Package png decodes the usual kinds of PNG faster than image/png: grey, RGB and RGBA with
// 8 bits, not interlaced, without a transparent color. It leaves all others, and all damaged
// files, to image/png.
package png

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"math"

	"acdclip/pkg/data/pixels/picture/inflate"
)

const (
	magic = "\x89PNG\r\n\x1a\n"

	colorGrey, colorRGB, colorRGBA = 0, 2, 6
)

// Decode decodes a PNG of a usual kind to a *image.Gray, *RGB or *image.NRGBA without padding
// between rows, with the pixels of image/png. It returns nil for any content of which it is
// not certain that image/png decodes it. Its memory is proportional to the size in the header,
// which is limited by len(b), and at most maxJoined more. The result shares no memory with b.
func Decode(b []byte) image.Image {
	h, packed := parse(b)
	if packed == nil {
		return nil
	}
	stride := h.width * h.channels
	size := h.height * (1 + stride)
	if size/inflate.MaxRatio > len(packed) {
		return nil
	}
	pix := make([]uint8, size)
	if inflate.Zlib(pix, packed) != nil || !unfilter(pix, stride, h.channels) {
		return nil
	}
	pix = pix[:h.height*stride]
	rect := image.Rect(0, 0, h.width, h.height)
	switch h.channels {
	case 1:
		return &image.Gray{Pix: pix, Stride: stride, Rect: rect}
	case 3:
		return &RGB{Pix: pix, Rect: rect}
	}
	return &image.NRGBA{Pix: pix, Stride: stride, Rect: rect}
}

// header is the content of the header of a picture with one byte per channel.
type header struct{ width, height, channels int }

// parse returns the header and the compressed data; no data if the file is of another kind or
// damaged.
func parse(b []byte) (h header, packed []byte) {
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok {
		return header{}, nil
	}
	c, rest := nextChunk(rest)
	if c.name != "IHDR" || !h.parse(c.body) {
		return header{}, nil
	}
	var parts [][]byte
	for last := c.name; ; last = c.name {
		switch c, rest = nextChunk(rest); c.name {
		case "IDAT":
			if len(parts) > 0 && last != c.name {
				return header{}, nil
			}
			parts = append(parts, c.body)
		case "IEND":
			if len(c.body) > 0 {
				return header{}, nil
			}
			return h, joined(parts)
		case "", "IHDR", "PLTE", "tRNS":
			return header{}, nil
		}
	}
}

// parse reads the header; false if the picture is of another kind.
func (h *header) parse(body []byte) bool {
	const length, depth = 13, 8
	if len(body) != length || body[8] != depth || body[10]|body[11]|body[12] != 0 { // the standard method and filters, not interlaced
		return false
	}
	switch body[9] {
	case colorGrey:
		h.channels = 1
	case colorRGB:
		h.channels = 3
	case colorRGBA:
		h.channels = 4
	default:
		return false
	}
	const most = math.MaxInt32
	width, height := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
	if width == 0 || height == 0 || width > most || height > most || uint64(width)*uint64(height) > most {
		return false
	}
	h.width, h.height = int(width), int(height)
	return true
}

// chunk is a complete chunk with a correct checksum.
type chunk struct {
	name string
	body []byte
}

// nextChunk returns the chunk at the start of b and the bytes behind it; a chunk without a
// name if it is damaged.
func nextChunk(b []byte) (c chunk, rest []byte) {
	const head, checksum = 8, 4
	if len(b) < head+checksum {
		return chunk{}, nil
	}
	length := int64(binary.BigEndian.Uint32(b))
	if length > int64(len(b)-head-checksum) {
		return chunk{}, nil
	}
	end := head + int(length)
	if crc32.ChecksumIEEE(b[4:end]) != binary.BigEndian.Uint32(b[end:]) {
		return chunk{}, nil
	}
	return chunk{string(b[4:head]), b[head:end]}, b[end+checksum:]
}

// maxJoined limits the copy of compressed data in several chunks, in bytes. With more of them
// the copy would need more memory than image/png.
const maxJoined = 64 << 20

// joined returns the parts in one piece, a single one without copying it; nil if there are
// none, or too many bytes to copy.
func joined(parts [][]byte) []byte {
	if len(parts) == 1 {
		return parts[0]
	}
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	if size == 0 || size > maxJoined {
		return nil
	}
	return bytes.Join(parts, nil)
}
