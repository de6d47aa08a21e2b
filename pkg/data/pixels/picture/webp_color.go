package picture

import "image"

// webpRow converts row y of a lossy WebP like libwebp: chroma is upsampled with weights
// 9, 3, 3, 1 (with libwebp's rounding), and the values have BT.601's limited range, not
// JPEG's full range. (libwebp's upsampling.c and yuv.h.)
func webpRow(dst []uint8, m *image.YCbCr, y int) {
	size := m.Rect.Size()
	near := y / 2
	far := near - 1 + 2*(y%2)
	// The first and, at an even height, the last row have no far neighbour.
	far = min(max(far, 0), (size.Y+1)/2-1)
	luma := m.Y[y*m.YStride:]
	nu, nv := m.Cb[near*m.CStride:], m.Cr[near*m.CStride:]
	fu, fv := m.Cb[far*m.CStride:], m.Cr[far*m.CStride:]
	for x := range size.X {
		cx := x / 2
		fx := min(max(cx-1+2*(x%2), 0), (size.X+1)/2-1)
		u := webpChroma(int(nu[cx]), int(nu[fx]), int(fu[cx]), int(fu[fx]), fx == cx)
		v := webpChroma(int(nv[cx]), int(nv[fx]), int(fv[cx]), int(fv[fx]), fx == cx)
		l := int(luma[x]) * 19077 >> 8
		dst[3*x] = webpClip(l + v*26149>>8 - 14234)
		dst[3*x+1] = webpClip(l - u*6419>>8 - v*13320>>8 + 8708)
		dst[3*x+2] = webpClip(l + u*33050>>8 - 17685)
	}
}

// webpChroma blends the nearest of four samples with its neighbours along the
// row, across the rows, and across both. At a picture's left and right edge
// there is no neighbour along the row.
func webpChroma(nearest, along, across, both int, edge bool) int {
	if edge {
		return (3*nearest + across + 2) >> 2
	}
	diagonal := (nearest + 3*along + 3*across + both + 8) >> 3
	return (diagonal + nearest) >> 1
}

// webpClip rounds down and clamps a value with six fractional bits.
func webpClip(v int) uint8 { return uint8(min(max(v>>6, 0), 255)) }
