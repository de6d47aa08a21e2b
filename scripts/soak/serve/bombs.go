package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// expanded is what a bomb's data grow to.
const expanded = 512 << 20

// bomb is a small body that a careless reader expands, or works on for long.
type bomb struct {
	name     string
	content  []byte
	encoding string // Content-Encoding; "" for none
}

// bombs makes all of them. A picture of side times side pixels must be within the limits.
func bombs(side int) ([]bomb, error) {
	data, err := zeros(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }, expanded)
	if err != nil {
		return nil, err
	}
	large, err := zeros(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }, side*(1+3*side))
	if err != nil {
		return nil, err
	}
	small, err := zeros(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }, 64*(1+3*64))
	if err != nil {
		return nil, err
	}
	gzipped, err := zeros(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, expanded)
	if err != nil {
		return nil, err
	}
	zipped, err := zipBomb()
	if err != nil {
		return nil, err
	}
	profile := append([]byte("profile\x00\x00"), data...)
	texts := bytes.Repeat(pngChunk("tEXt", []byte("a\x00b")), 500_000)
	return []bomb{
		{name: "png-large", content: png(side, side, nil, large)},
		{name: "png-overlong", content: png(64, 64, nil, data)},
		{name: "png-profile", content: png(64, 64, pngChunk("iCCP", profile), small)},
		{name: "png-chunks", content: png(64, 64, texts, small)},
		{name: "tiff-deflate", content: tiff(64, 64, data, 0)},
		{name: "tiff-loop", content: tiff(64, 64, small, tiffStart)},
		{name: "gif-frames", content: gifOf(1_000_000)},
		{name: "jpeg-scans", content: jpegOfScans()},
		{name: "zip", content: zipped},
		{name: "gzip", content: gzipped},
		{name: "gzip-encoding", content: gzipped, encoding: "gzip"},
	}, nil
}

// giants are headers of pictures of billions of pixels, with hardly any data.
func giants() []bomb {
	const side = 60_000
	bmp := make([]byte, 64)
	copy(bmp, "BM")
	binary.LittleEndian.PutUint32(bmp[10:], 54)
	binary.LittleEndian.PutUint32(bmp[14:], 40)
	binary.LittleEndian.PutUint32(bmp[18:], side)
	binary.LittleEndian.PutUint32(bmp[22:], side)
	binary.LittleEndian.PutUint16(bmp[26:], 1)
	binary.LittleEndian.PutUint16(bmp[28:], 24)
	gif := []byte("GIF89a")
	gif = append(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(gif, side), side), 0, 0, 0, ';')
	return []bomb{
		{name: "png", content: png(side, side, nil, []byte{0x78, 0x9c, 3, 0, 0, 0, 0, 1})},
		{name: "bmp", content: bmp},
		{name: "gif", content: gif},
		{name: "tiff", content: tiff(side, side, []byte{0}, 0)},
		{name: "jpeg", content: append([]byte{0xff, 0xd8}, jpegSegment(0xc0, []byte{8, side >> 8, side & 255, side >> 8, side & 255, 1, 1, 0x11, 0})...)},
	}
}

func zeros(compress func(io.Writer) io.WriteCloser, count int) ([]byte, error) {
	var out bytes.Buffer
	w := compress(&out)
	block := make([]byte, 1<<20)
	for left := count; left > 0; left -= len(block) {
		if _, err := w.Write(block[:min(left, len(block))]); err != nil {
			return nil, fmt.Errorf("compressing zeros: %w", err)
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

func zipBomb() ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	file, err := archive.Create("picture.tif")
	if err == nil {
		_, err = file.Write(make([]byte, expanded))
	}
	if err == nil {
		err = archive.Close()
	}
	return out.Bytes(), err
}

func pngChunk(name string, content []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	chunk = append(append(chunk, name...), content...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

// png is an RGB picture with further chunks before its data.
func png(width, height int, before, data []byte) []byte {
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))
	out := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(header, 8, 2, 0, 0, 0))...)
	return append(append(append(out, before...), pngChunk("IDAT", data)...), pngChunk("IEND", nil)...)
}

// tiffStart is where the only directory of a tiff begins.
const tiffStart = 8

// tiff is a grey picture with one strip, deflated. The directory after its first one is at next;
// 0 for none.
func tiff(width, height int, strip []byte, next uint32) []byte {
	const short, long, deflate = 3, 4, 8
	entries := []struct{ tag, kind, value uint32 }{
		{256, long, uint32(width)}, {257, long, uint32(height)}, {258, short, 8}, {259, short, deflate}, {262, short, 1},
		{273, long, 0}, {277, short, 1}, {278, long, uint32(height)}, {279, long, uint32(len(strip))},
	}
	out := binary.LittleEndian.AppendUint32([]byte("II*\x00"), tiffStart)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(entries)))
	at := uint32(tiffStart + 2 + 12*len(entries) + 4)
	for _, entry := range entries {
		if entry.tag == 273 {
			entry.value = at
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(entry.tag))
		out = binary.LittleEndian.AppendUint16(out, uint16(entry.kind))
		out = binary.LittleEndian.AppendUint32(out, 1)
		out = binary.LittleEndian.AppendUint32(out, entry.value)
	}
	return append(binary.LittleEndian.AppendUint32(out, next), strip...)
}

// gifOf is a GIF with so many frames of one pixel.
func gifOf(frames int) []byte {
	out := []byte("GIF89a\x40\x00\x40\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff") // 64 by 64, two colors
	frame := []byte(",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00")
	return append(append(out, bytes.Repeat(frame, frames)...), ';')
}

func jpegSegment(marker byte, content []byte) []byte {
	out := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(content)+2))
	return append(out, content...)
}

// jpegOfScans is a progressive grey JPEG of 4096 by 4096 pixels with 883 scans, of which each
// visits all blocks and has hardly any data.
func jpegOfScans() []byte {
	const side, blocks, run = 4096, 4096 / 8 * 4096 / 8, 1<<15 - 1
	out := []byte{0xff, 0xd8}
	out = append(out, jpegSegment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...))...)
	out = append(out, jpegSegment(0xc2, []byte{8, side >> 8, side & 255, side >> 8, side & 255, 1, 1, 0x11, 0})...)
	// A code of DC, 0, for no difference; two of AC, 0 and 10, for runs of blocks that end at once.
	out = append(out, jpegSegment(0xc4, append(append([]byte{0}, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0))...)
	out = append(out, jpegSegment(0xc4, append(append([]byte{0x10}, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0xe0, 0xe3))...)
	scan := func(first, last, accuracy byte, data []byte) {
		out = append(append(out, jpegSegment(0xda, []byte{1, 1, 0, first, last, accuracy})...), data...)
	}
	scan(0, 0, 0, make([]byte, blocks/8))
	var skip bitWriter
	for left := blocks; left > run; left -= run {
		skip.add(1<<14-1, 15)
	}
	skip.add(0b10_000, 5) // the last 8 blocks
	for coefficient := byte(1); coefficient < 64; coefficient++ {
		scan(coefficient, coefficient, 13, skip.bytes())
		for bit := byte(13); bit > 0; bit-- {
			scan(coefficient, coefficient, bit<<4|(bit-1), skip.bytes())
		}
	}
	return append(out, 0xff, 0xd9)
}

// bitWriter collects the bits of a JPEG's scan.
type bitWriter struct{ bits []bool }

func (w *bitWriter) add(value, count int) {
	for i := count - 1; i >= 0; i-- {
		w.bits = append(w.bits, value>>i&1 == 1)
	}
}

// bytes are filled up with ones; a zero follows each byte of ones.
func (w *bitWriter) bytes() []byte {
	var out []byte
	for at := 0; at < len(w.bits); at += 8 {
		var b byte
		for i := range 8 {
			if at+i >= len(w.bits) || w.bits[at+i] {
				b |= 0x80 >> i
			}
		}
		if out = append(out, b); b == 0xff {
			out = append(out, 0)
		}
	}
	return out
}
