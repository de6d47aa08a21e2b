package picture

// Orientation is EXIF's tag 0x0112: how the stored picture is to be turned to stand upright.
type Orientation uint16

const (
	Upright     Orientation = 1
	mirrored    Orientation = 2 // left and right swapped
	halfTurn    Orientation = 3
	flipped     Orientation = 4 // top and bottom swapped
	transposed  Orientation = 5
	rotateRight Orientation = 6 // a quarter turn clockwise
	transversed Orientation = 7 // transposed along the other diagonal
	rotateLeft  Orientation = 8
)

// apply returns im turned upright; im itself where there is nothing to do.
func (o Orientation) apply(im *Image) *Image {
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
func (o Orientation) source(x, y, w, h int) (sx, sy int) {
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
