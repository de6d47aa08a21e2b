package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
)

var (
	errWebP     = errors.New("malformed chunks")
	errWebPSize = errors.New("the frame's size differs from the size in the header")
)

// webpFile is the content of a WebP's chunks, as libwebp interprets them.
type webpFile struct {
	flags    byte        // from the VP8X header
	canvas   image.Point // size from the VP8X header
	frame    webpFrame   // the picture, or the first frame of an animation
	metadata metadata
}

// webpFrame is one picture of the file, without its transparency.
type webpFrame struct {
	offset   image.Point // position on the canvas
	size     image.Point // size from the animation frame's header; zero without one
	lossy    []byte      // a VP8 stream
	lossless []byte      // a VP8L stream
}

const (
	webpAnimated = 1 << 1 // flags of the VP8X header
	webpHasXMP   = 1 << 2
	webpHasEXIF  = 1 << 3
)

// storedWebP returns the picture, or an animation's first frame on its canvas,
// which is black elsewhere.
func storedWebP(b []byte) (image.Image, error) {
	file, err := parseWebP(b)
	if err != nil {
		return nil, err
	}
	place := image.Rectangle{Max: file.frame.size}.Add(file.frame.offset)
	if file.animated() && !place.In(image.Rectangle{Max: file.canvas}) {
		return nil, errors.New("the first frame is outside the canvas")
	}
	frame, err := file.frame.decode(file.frameSize())
	if err != nil || !file.animated() || file.frame.size == file.canvas {
		return frame, err
	}
	return onCanvas(frame, file.frame.offset, file.canvas)
}

// onCanvas returns a black canvas with the frame at offset.
func onCanvas(frame image.Image, offset, canvas image.Point) (image.Image, error) {
	colors, err := toRGB(frame, pictureDepth, 0, frame.Bounds().Dy())
	if err != nil {
		return nil, err
	}
	m := image.NewNRGBA(image.Rectangle{Max: canvas})
	for y := range colors.Height {
		row := m.Pix[m.PixOffset(offset.X, offset.Y+y):]
		src := colors.row(y)
		for x := range colors.Width {
			copy(row[4*x:4*x+3], src[3*x:3*x+3])
		}
	}
	return m, nil
}

func webpMetadata(b []byte) metadata {
	file, err := parseWebP(b)
	if err != nil {
		return metadata{}
	}
	return file.metadata
}

func (f *webpFile) animated() bool { return f.flags&webpAnimated != 0 }

// frameSize returns the size that the frame must have, which is within the limit; zero
// if only the frame itself declares its size.
func (f *webpFile) frameSize() image.Point {
	if f.animated() {
		return f.frame.size
	}
	return f.canvas
}

// decode checks the frame's size, unless the given one is zero, and decodes it.
func (f *webpFrame) decode(size image.Point) (image.Image, error) {
	fits := func(width, height int) bool { return size == image.Point{} || size == image.Pt(width, height) }
	if f.lossy != nil {
		d := vp8.NewDecoder()
		d.Init(bytes.NewReader(f.lossy), len(f.lossy))
		header, err := d.DecodeFrameHeader()
		if err != nil {
			return nil, err
		}
		if !fits(header.Width, header.Height) {
			return nil, errWebPSize
		}
		return d.DecodeFrame()
	}
	c, err := vp8l.DecodeConfig(bytes.NewReader(f.lossless))
	if err != nil {
		return nil, err
	}
	if !fits(c.Width, c.Height) {
		return nil, errWebPSize
	}
	return vp8l.Decode(bytes.NewReader(f.lossless))
}

// parseWebP reads the chunks of a file.
func parseWebP(b []byte) (*webpFile, error) {
	const head = 12 // "RIFF", the size of what follows, "WEBP"
	if len(b) < head {
		return nil, io.ErrUnexpectedEOF
	}
	end := uint64(binary.LittleEndian.Uint32(b[4:])) + 8
	if end > uint64(len(b)) {
		return nil, io.ErrUnexpectedEOF
	}
	file, seen := &webpFile{}, false
	err := webpChunks(b[head:max(end, head)], func(name string, body []byte) error {
		first := !seen
		seen = true
		if name == "VP8X" {
			if !first || len(body) < 10 {
				return errWebP
			}
			file.flags = body[0]
			file.canvas = image.Pt(1+le24(body[4:]), 1+le24(body[7:]))
			return nil
		}
		return file.chunk(name, body)
	})
	if err == nil && !file.frame.complete() {
		err = errors.New("it has no frame")
	}
	return file, err
}

// webpChunks calls do for each chunk of b.
func webpChunks(b []byte, do func(name string, body []byte) error) error {
	const head = 8
	for len(b) >= head {
		name, size := string(b[:4]), uint64(binary.LittleEndian.Uint32(b[4:]))
		b = b[head:]
		if size > uint64(len(b)) {
			return io.ErrUnexpectedEOF
		}
		if err := do(name, b[:size]); err != nil {
			return err
		}
		b = b[min(size+size%2, uint64(len(b))):]
	}
	return nil
}

func (f *webpFile) chunk(name string, body []byte) error {
	switch name {
	case "VP8 ", "VP8L":
		if f.animated() {
			return errWebP
		}
		f.frame.chunk(name, body)
	case "ANMF":
		if f.animated() && !f.frame.complete() {
			return f.frame.animation(body)
		}
	case "EXIF":
		if f.flags&webpHasEXIF != 0 && f.metadata.exif == nil {
			f.metadata.exif = body
		}
	case "XMP ":
		if f.flags&webpHasXMP != 0 && f.metadata.xmp == nil {
			f.metadata.xmp = body
		}
	}
	return nil
}

// chunk stores the frame's first image stream.
func (f *webpFrame) chunk(name string, body []byte) {
	switch {
	case f.complete():
	case name == "VP8 ":
		f.lossy = body
	case name == "VP8L":
		f.lossless = body
	}
}

func (f *webpFrame) complete() bool { return f.lossy != nil || f.lossless != nil }

// animation reads a frame of an animation.
func (f *webpFrame) animation(b []byte) error {
	const head = 16 // offset 6, size 6, duration 3, flags 1
	if len(b) < head {
		return errWebP
	}
	f.offset = image.Pt(2*le24(b), 2*le24(b[3:]))
	f.size = image.Pt(1+le24(b[6:]), 1+le24(b[9:]))
	err := webpChunks(b[head:], func(name string, body []byte) error {
		f.chunk(name, body)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the first frame: %w", err)
	}
	return nil
}

func le24(b []byte) int { return le16(b) | int(b[2])<<16 }
