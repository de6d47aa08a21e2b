package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"slices"
)

// storedJPEG undoes the entropy coding and the transform, which the standard library does.
func storedJPEG(b []byte) (image.Image, error) {
	h := parseJPEGHeader(b)
	return jpeg.Decode(h.plain(b))
}

// convertJPEG makes a picture of the planes as libjpeg does. The chroma
// upsampling and the colors are ours, since the standard library's own repeat
// chroma samples.
func convertJPEG(m image.Image, b []byte, _ narrowing) (*Image, error) {
	h := parseJPEGHeader(b)
	switch m := m.(type) {
	case *image.Gray:
		return toRGB(m, pictureDepth)
	case *image.YCbCr:
		convert := ycbcrToRGB
		if h.storesRGB() {
			convert = interleave
		}
		return joinPlanes(m.Rect.Size(), planesOf(m), convert), nil
	case *image.CMYK:
		convert := cmykToRGB
		if h.storesYCCK() {
			convert = ycckToRGB
		}
		return joinPlanes(m.Rect.Size(), h.planesOfCMYK(m), convert), nil
	}
	return nil, fmt.Errorf("components of type %T are not supported", m)
}

func jpegOrientation(b []byte) Orientation { return exifOrientation(parseJPEGHeader(b).exif) }

// jpegHeader is what the segments before the first scan say about the colors.
type jpegHeader struct {
	components int
	ids        [4]byte // component identifiers
	sampling   [4]byte // horizontal factor in the high half, vertical in the low
	jfif       bool
	adobe      bool
	transform  byte   // Adobe's color transform, where adobe is set
	transforms []int  // the offsets of all Adobe transform bytes
	exif       []byte // the first EXIF block
}

// parseJPEGHeader walks the segments. It stops at anything odd: the decoder reports that.
func parseJPEGHeader(b []byte) jpegHeader {
	const (
		sofBaseline, sofProgressive = 0xc0, 0xc2
		sos                         = 0xda
		app0, app1, app14           = 0xe0, 0xe1, 0xee
		rst0, eoi                   = 0xd0, 0xd9
	)
	var h jpegHeader
	for at := 2; at+4 <= len(b); {
		marker := b[at+1]
		if b[at] != 0xff || marker == 0xff || marker == 0 || marker >= rst0 && marker <= eoi {
			at++ // fill bytes, or stray ones, which libjpeg skips as well
			continue
		}
		if marker == sos {
			break
		}
		length := int(b[at+2])<<8 | int(b[at+3])
		if length < 2 || at+2+length > len(b) {
			break
		}
		body := b[at+4 : at+2+length]
		switch {
		case marker >= sofBaseline && marker <= sofProgressive && h.components == 0:
			h.frame(body)
		case marker == app0 && bytes.HasPrefix(body, []byte("JFIF\x00")):
			h.jfif = true
		case marker == app14 && len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")):
			h.adobe, h.transform = true, body[11]
			h.transforms = append(h.transforms, at+4+11)
		case marker == app1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) && h.exif == nil:
			h.exif = body[6:]
		}
		at += 2 + length
	}
	return h
}

func (h *jpegHeader) frame(body []byte) {
	const first = 6 // the offset of the first component: precision 1, height 2, width 2, count 1
	if len(body) < first {
		return
	}
	n := int(body[first-1])
	if n > len(h.ids) || len(body) < first+3*n {
		return
	}
	h.components = n
	for i := range n {
		h.ids[i], h.sampling[i] = body[first+3*i], body[first+3*i+1]
	}
}

// storesRGB and storesYCCK decide as libjpeg's default_decompress_parms.
func (h *jpegHeader) storesRGB() bool {
	switch {
	case h.jfif:
		return false
	case h.adobe:
		return h.transform == 0
	}
	return string(h.ids[:3]) == "RGB"
}

func (h *jpegHeader) storesYCCK() bool { return h.adobe && h.transform != 0 }

// plain returns b for image/jpeg with its header changed so that the
// components come out as they are stored, not converted: a JFIF header says
// that three are no RGB, Adobe's transform 0 that four are CMYK.
func (h *jpegHeader) plain(b []byte) io.Reader {
	const (
		soi   = "\xff\xd8"
		jfif  = "\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
		adobe = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
	)
	if len(h.transforms) > 0 {
		end := h.transforms[len(h.transforms)-1] + 1
		start := slices.Clone(b[:end])
		for _, at := range h.transforms {
			start[at] = 0
		}
		return io.MultiReader(bytes.NewReader([]byte(soi+jfif+adobe)), bytes.NewReader(start[2:]), bytes.NewReader(b[end:]))
	}
	return io.MultiReader(bytes.NewReader([]byte(soi+jfif+adobe)), bytes.NewReader(b[2:]))
}

// plane is one component: its samples lie right and down times wider apart than the picture's pixels.
type plane struct {
	pix           []uint8
	stride        int
	width, height int // the samples that hold the picture, without padding
	right, down   int
}

func planesOf(m *image.YCbCr) []plane {
	size := m.Rect.Size()
	right, down := 1, 1
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		right = 2
	case image.YCbCrSubsampleRatio420:
		right, down = 2, 2
	case image.YCbCrSubsampleRatio440:
		down = 2
	case image.YCbCrSubsampleRatio411:
		right = 4
	case image.YCbCrSubsampleRatio410:
		right, down = 4, 2
	}
	chroma := plane{stride: m.CStride, width: ceilDiv(size.X, right), height: ceilDiv(size.Y, down), right: right, down: down}
	cb, cr := chroma, chroma
	cb.pix, cr.pix = m.Cb, m.Cr
	return []plane{{pix: m.Y, stride: m.YStride, width: size.X, height: size.Y, right: 1, down: 1}, cb, cr}
}

// planesOfCMYK takes the four components apart again. image/jpeg inverts them
// and repeats the samples of the second and third where they are subsampled.
func (h *jpegHeader) planesOfCMYK(m *image.CMYK) []plane {
	size := m.Rect.Size()
	planes := make([]plane, 4)
	for c := range planes {
		step := 1
		if h.sampling[c] != h.sampling[0] {
			step = 2
		}
		p := plane{width: ceilDiv(size.X, step), height: ceilDiv(size.Y, step), right: step, down: step}
		p.stride = p.width
		p.pix = make([]uint8, p.width*p.height)
		for y := range p.height {
			src := m.Pix[y*step*m.Stride+c:]
			for x := range p.width {
				p.pix[y*p.stride+x] = 255 - src[4*step*x]
			}
		}
		planes[c] = p
	}
	return planes
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// joinPlanes brings every plane to the picture's size, row by row, and converts the rows.
func joinPlanes(size image.Point, planes []plane, convert func(dst []uint8, components [][]uint8)) *Image {
	im := NewImage(size.X, size.Y)
	components := make([][]uint8, len(planes))
	buffers := make([][]uint8, len(planes))
	for c, p := range planes {
		buffers[c] = make([]uint8, p.width*p.right)
	}
	for y := range size.Y {
		for c := range planes {
			components[c] = planes[c].upsampledRow(y, buffers[c])[:size.X]
		}
		convert(im.row(y), components)
	}
	return im
}
