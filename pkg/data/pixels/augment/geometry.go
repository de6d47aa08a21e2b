package augment

// fill marks an output pixel that comes from outside the input.
const fill = -1

// Geometry applies rotation about the centre, translation, horizontal and vertical
// flip, in this order, each with nearest sampling, to a picture pix [S, S, 3] and its
// mask [S, S], which may be nil; size is S. inside [S, S] is 1 where an output pixel
// comes from the input and 0 where it is fill; it is nil if no pixel is fill. outPix
// and outMask are zero at fill pixels. After normalising the picture, the caller must
// set them to zero again, because torchvision fills normalised pictures.
//
// The inputs are never changed; they are returned themselves if no transform applies.
func (p Parameters) Geometry(pix, mask []uint8, size int) (outPix, outMask, inside []uint8) {
	if p.Rotation == 0 && p.ShiftX == 0 && p.ShiftY == 0 && !p.FlipX && !p.FlipY {
		return pix, mask, nil
	}
	sources, filled := p.sources(size)
	outPix = make([]uint8, 3*len(sources))
	for i, source := range sources {
		if source != fill {
			copy(outPix[3*i:3*i+3], pix[3*source:3*source+3])
		}
	}
	if mask != nil {
		outMask = make([]uint8, len(sources))
		for i, source := range sources {
			if source != fill {
				outMask[i] = mask[source]
			}
		}
	}
	if filled {
		inside = make([]uint8, len(sources))
		for i, source := range sources {
			if source != fill {
				inside[i] = 1
			}
		}
	}
	return outPix, outMask, inside
}

// sources returns the index of the source pixel of each output pixel, or fill, [S, S],
// and whether any is fill. One look-up through all four transforms equals sampling
// four times, because nearest sampling only moves pixels.
func (p Parameters) sources(size int) (sources []int32, filled bool) {
	sources = make([]int32, size*size)
	columns, rows := undo(p.FlipX, p.ShiftX, size), undo(p.FlipY, p.ShiftY, size)
	turn := newTurn(p.Rotation, size)
	for y, row := range rows {
		line := sources[y*size : (y+1)*size]
		for x, column := range columns {
			line[x] = fill
			if row != fill && column != fill {
				line[x] = turn.source(column, row)
			}
			filled = filled || line[x] == fill
		}
	}
	return sources, filled
}

// undo returns for each coordinate its position before translation and flip along one axis, or fill.
func undo(flip bool, shift, size int) []int {
	before := make([]int, size)
	for i := range before {
		at := i
		if flip {
			at = size - 1 - at
		}
		at -= shift
		if at < 0 || at >= size {
			at = fill
		}
		before[i] = at
	}
	return before
}
