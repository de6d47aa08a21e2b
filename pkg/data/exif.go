package data

import "encoding/binary"

// orientation is EXIF's tag 0x0112: how the stored picture is to be turned to stand upright.
type orientation uint16

const (
	upright      orientation = 1
	mirrored     orientation = 2 // left and right swapped
	halfTurn     orientation = 3
	flipped      orientation = 4 // top and bottom swapped
	transposed   orientation = 5
	rotateRight  orientation = 6 // a quarter turn clockwise
	transversed  orientation = 7 // transposed along the other diagonal
	rotateLeft   orientation = 8
	exifTag                  = 0x0112
	exifShort                = 3
	ifdEntrySize             = 12
)

// apply returns im turned upright; im itself where there is nothing to do.
func (o orientation) apply(im *Image) *Image {
	if o < mirrored || o > rotateLeft {
		return im
	}
	out := NewImage(im.Width, im.Height)
	if o >= transposed {
		out.Width, out.Height = im.Height, im.Width
	}
	for y := range out.Height {
		row := out.row(y)
		for x := range out.Width {
			sx, sy := o.source(x, y, im.Width, im.Height)
			copy(row[3*x:3*x+3], im.Pix[3*(sy*im.Width+sx):])
		}
	}
	return out
}

// source returns where in the stored picture of w x h pixels the turned picture's pixel (x, y) lies.
func (o orientation) source(x, y, w, h int) (sx, sy int) {
	switch o {
	case mirrored:
		return w - 1 - x, y
	case halfTurn:
		return w - 1 - x, h - 1 - y
	case flipped:
		return x, h - 1 - y
	case transposed:
		return y, x
	case rotateRight:
		return y, h - 1 - x
	case transversed:
		return w - 1 - y, h - 1 - x
	case rotateLeft:
		return w - 1 - y, x
	}
	return x, y
}

// exifOrientation reads the orientation from an EXIF block (a TIFF structure
// without pixels); anything missing or odd means upright.
func exifOrientation(b []byte) orientation {
	if len(b) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return upright
	}
	entries := b[at+2:]
	for range order.Uint16(b[at:]) {
		if len(entries) < ifdEntrySize {
			break
		}
		if order.Uint16(entries) == exifTag && order.Uint16(entries[2:]) == exifShort {
			if o := orientation(order.Uint16(entries[8:])); o >= upright && o <= rotateLeft {
				return o
			}
			break
		}
		entries = entries[ifdEntrySize:]
	}
	return upright
}
