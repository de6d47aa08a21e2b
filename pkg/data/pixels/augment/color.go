package augment

import "acdclip/pkg/data/pixels/picture"

// Color applies noise, brightness, contrast and saturation, in this order. It never
// changes im and returns im itself if none of them applies. im must have at least one
// pixel. (torchvision's ColorJitter on a Pillow picture: Pillow,
// src/PIL/ImageEnhance.py.)
func (p Parameters) Color(im *picture.Image) *picture.Image {
	if p.Noise == nil && p.Brightness == 1 && p.Contrast == 1 && p.Saturation == 1 {
		return im
	}
	out := picture.NewImage(im.Width, im.Height)
	from := im.Pix
	if p.Noise != nil {
		copy(out.Pix, from)
		multiply(out.Pix, p.Noise.specks(im.Width*im.Height))
		from = out.Pix
	}
	table := p.levels(from)
	if p.Saturation == 1 {
		for i, v := range from {
			out.Pix[i] = table[v]
		}
	} else {
		saturate(out.Pix, from, &table, float32(p.Saturation))
	}
	return out
}

// levels returns the lookup table for brightness followed by contrast; pix is [H, W, 3].
func (p Parameters) levels(pix []uint8) (table [256]uint8) {
	for v := range table {
		table[v] = blend(0, uint8(v), float32(p.Brightness))
	}
	if p.Contrast == 1 {
		return table
	}
	mean := meanLuma(pix, &table)
	for v, brightened := range table {
		table[v] = blend(mean, brightened, float32(p.Contrast))
	}
	return table
}

// meanLuma is the mean grey, rounded half up, of pix [H, W, 3] with its bytes
// replaced from the table. (Pillow, src/PIL/ImageStat.py.)
func meanLuma(pix []uint8, table *[256]uint8) uint8 {
	sum := 0
	for i := 0; i+3 <= len(pix); i += 3 {
		p := pix[i : i+3 : i+3]
		sum += int(picture.Luma(table[p[0]], table[p[1]], table[p[2]]))
	}
	return uint8(float64(sum)/float64(len(pix)/3) + 0.5)
}

// saturate maps the bytes of src [H, W, 3] through the table, blends each pixel with
// its own grey by factor, and writes the result to dst.
func saturate(dst, src []uint8, table *[256]uint8, factor float32) {
	// Blending every grey with every byte once is far cheaper than blending every value.
	var blends [256][256]uint8
	for grey := range blends {
		for v := range blends[grey] {
			blends[grey][v] = blend(uint8(grey), uint8(v), factor)
		}
	}
	for i := 0; i+3 <= len(src); i += 3 {
		s, d := src[i:i+3:i+3], dst[i:i+3:i+3]
		r, g, b := table[s[0]], table[s[1]], table[s[2]]
		blend := &blends[picture.Luma(r, g, b)]
		d[0], d[1], d[2] = blend[r], blend[g], blend[b]
	}
}

// blend interpolates or extrapolates linearly from from (factor 0) to to (factor 1),
// truncated to a byte. The conversion prevents a fused multiply-add, which Pillow's
// build does not use. (Pillow, src/libImaging/Blend.c.)
func blend(from, to uint8, factor float32) uint8 {
	v := float32(from) + float32(factor*(float32(to)-float32(from)))
	return uint8(min(max(v, 0), 255))
}
