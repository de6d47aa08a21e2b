package picture

import (
	"bytes"
	"image"

	"acdclip/pkg/data/pixels/picture/jpeg"
)

func storedJPEG(b []byte) (image.Image, error) {
	p, err := jpeg.Decode(b, jpeg.Options{})
	if err != nil {
		return nil, err
	}
	if grey := p.Grey(); grey != nil {
		return grey, nil
	}
	return p, nil
}

func convertJPEG(m image.Image, _ string, depth narrowing, first, end int) (*Image, error) {
	p, ok := m.(*jpeg.Picture)
	if !ok {
		return toRGB(m, depth, first, end)
	}
	im := NewImage(p.Width, end-first)
	if p.Channels == 3 {
		p.Rows(im.Pix, first, end)
		return im, nil
	}
	inks := make([]uint8, 4*im.Width*im.Height)
	p.Rows(inks, first, end)
	// Like Pillow, assume Adobe's inverted inks in every JPEG: 255 means no ink.
	for i := range inks {
		inks[i] = 255 - inks[i]
	}
	cmykToRGB(im.Pix, inks)
	return im, nil
}

// cmykToRGB converts inks (255 is full ink) like Pillow: light - ink*light/255, rounded.
func cmykToRGB(dst, inks []uint8) {
	for i := range len(inks) / 4 {
		light := 255 - int32(inks[4*i+3])
		for c := range 3 {
			product := int32(inks[4*i+c])*light + 128
			dst[3*i+c] = uint8(max(0, light-(product>>8+product)>>8))
		}
	}
}

// jpegMetadata joins the content of EXIF segments and takes the last XMP segment.
func jpegMetadata(b []byte) (m metadata) {
	const (
		app1     = 0xe1
		xmpStart = "http://ns.adobe.com/xap/1.0/\x00"
	)
	for marker, body := range jpeg.Segments(b) {
		if marker != app1 {
			continue
		}
		if exif, ok := bytes.CutPrefix(body, []byte(exifStart)); ok {
			m.exif = append(m.exif, exif...)
		}
		if xmp, ok := bytes.CutPrefix(body, []byte(xmpStart)); ok {
			m.xmp = xmp
		}
	}
	return m
}
