package picture

import "acdclip/pkg/data/pixels/picture/orientation"

// Orientation is EXIF's tag 0x0112: how the stored picture is to be turned to stand upright.
type Orientation = orientation.Orientation

// Upright is a picture that is not turned.
const Upright = orientation.Upright

// turned returns im turned upright; im itself where there is nothing to do.
func turned(im *Image, o Orientation) *Image {
	if o <= Upright {
		return im
	}
	out := &Image{Width: im.Width, Height: im.Height, Pix: o.Turn(im.Pix, im.Width, im.Height, 3)}
	if o.Swaps() {
		out.Width, out.Height = im.Height, im.Width
	}
	return out
}
