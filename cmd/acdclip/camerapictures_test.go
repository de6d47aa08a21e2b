package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"

	"github.com/rogpeppe/go-internal/testscript"
)

// deep FILE WIDTH HEIGHT LARGEST: a PNG of 16-bit grey that rises from 0 to a value.
func drawDeep(ts *testscript.TestScript, _ bool, args []string) {
	drawn := image.NewGray16(image.Rect(0, 0, number(ts, args[1]), number(ts, args[2])))
	last := drawn.Rect.Dx()*drawn.Rect.Dy() - 1
	for i := range last + 1 {
		drawn.SetGray16(i%drawn.Rect.Dx(), i/drawn.Rect.Dx(), color.Gray16{Y: uint16(number(ts, args[3]) * i / last)})
	}
	var b bytes.Buffer
	ts.Check(png.Encode(&b, drawn))
	write(ts, args[0], b.Bytes())
}

// exif FILE N: a JPEG gets an EXIF orientation.
func orient(ts *testscript.TestScript, _ bool, args []string) {
	content, order := []byte(ts.ReadFile(args[0])), binary.BigEndian
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	exif = order.AppendUint16(exif, uint16(number(ts, args[1])))
	exif = append(exif, make([]byte, 6)...) // the rest of the value, and no further directory
	segment := order.AppendUint16([]byte("\xff\xe1"), uint16(len(exif)+2))
	write(ts, args[0], append(append(content[:2:2], append(segment, exif...)...), content[2:]...))
}
