package picture

import "acdclip/pkg/data/pixels/picture/orientation"

// Orientation is the value of EXIF's tag 0x0112: the transform from the stored to the upright picture.
type Orientation = orientation.Orientation

// Upright is the orientation of a picture that needs no transform.
const Upright = orientation.Upright

// turned returns im in upright orientation; im itself if o is Upright.
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
