package data

// Mask says where a picture is anomalous: Pix holds Width*Height values,
// row-major, 0 normal and 1 anomalous.
type Mask struct {
	Width, Height int
	Pix           []uint8
}

// DecodeMask reads the mask at path and scales it to size x size as Pillow's
// nearest does. The picture is taken as grey (alpha is ignored), and what is
// not zero is anomalous; of 16-bit values every one that is not zero counts.
// Errors are those of DecodeImage. With o.EXIF a JPEG mask is turned by its
// own orientation; Load turns a mask by its picture's.
func DecodeMask(path string, size int, o DecodeOptions) (*Mask, error) {
	im, _, err := decodeFile(path, o, maskDepth)
	if err != nil {
		return nil, err
	}
	return im.grey().resizeNearest(size, size).mask(), nil
}

// decodeMaskOf is DecodeMask for the mask of a picture that was turned by turn.
func decodeMaskOf(path string, size int, o DecodeOptions, turn orientation) (*Mask, error) {
	o.EXIF = false
	im, _, err := decodeFile(path, o, maskDepth)
	if err != nil {
		return nil, err
	}
	return turn.apply(im).grey().resizeNearest(size, size).mask(), nil
}

// greyImage is a picture of one channel, [H, W].
type greyImage struct {
	width, height int
	pix           []uint8
}

// grey is Pillow's convert("L"): the luma of ITU-R 601-2 in 16-bit fixed point.
func (im *Image) grey() greyImage {
	g := greyImage{im.Width, im.Height, make([]uint8, im.Width*im.Height)}
	for i := range g.pix {
		p := im.Pix[3*i : 3*i+3 : 3*i+3]
		g.pix[i] = uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 32768) >> 16)
	}
	return g
}

// resizeNearest is Pillow's resize(NEAREST). The place in the input is
// summed up step by step as Pillow does it, rounding errors included.
// (Pillow, src/libImaging/Geometry.c, ImagingScaleAffine.)
func (g greyImage) resizeNearest(width, height int) greyImage {
	out := greyImage{width, height, make([]uint8, width*height)}
	columns, rows := nearest(g.width, width), nearest(g.height, height)
	for y, sy := range rows {
		src, dst := g.pix[sy*g.width:], out.pix[y*width:]
		for x, sx := range columns {
			dst[x] = src[sx]
		}
	}
	return out
}

// nearest returns which of in pixels each of out pixels takes.
func nearest(in, out int) []int {
	places := make([]int, out)
	step := float64(in) / float64(out)
	at := step * 0.5
	for i := range places {
		places[i] = min(int(at), in-1)
		at += step
	}
	return places
}

func (g greyImage) mask() *Mask {
	for i, v := range g.pix {
		g.pix[i] = min(v, 1)
	}
	return &Mask{Width: g.width, Height: g.height, Pix: g.pix}
}
