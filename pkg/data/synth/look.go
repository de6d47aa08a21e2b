package synth

import (
	"image"
	"image/draw"
	"slices"
)

// drawing is a drawn picture, before encoding.
type drawing struct {
	colors *image.NRGBA
	mask   *image.Gray // 255 where a defect was drawn, else 0
	defect string
}

// look converts a drawing to the content of one of its files.
type look func(drawing) image.Image

// colors returns the picture in color.
func colors(d drawing) image.Image { return d.colors }

// grays returns the picture in one channel.
func grays(d drawing) image.Image { return gray(d) }

func gray(d drawing) *image.Gray {
	out := image.NewGray(d.colors.Rect)
	draw.Draw(out, out.Rect, d.colors, image.Point{}, draw.Src)
	return out
}

// marked returns the mask unchanged: 0 and 255.
func marked(d drawing) image.Image { return d.mask }

// kinds returns the mask with the number of the defect kind, from 1, in place of 255, so it
// looks black.
func kinds(d drawing) image.Image {
	var all []string
	for _, c := range classic() { // which the layouts draw
		all = append(all, c.defects...)
	}
	slices.Sort(all)
	return inParts(d.mask, uint8(1+slices.Index(slices.Compact(all), d.defect)))
}

// lesions returns the mask in several grays, one per kind of lesion.
func lesions(d drawing) image.Image { return inParts(d.mask, 85, 170, 255) }

// inParts divides the mask's marked pixels, row by row, into equal parts and gives
// each part one of the values.
func inParts(mask *image.Gray, values ...uint8) *image.Gray {
	var at []int
	for i, v := range mask.Pix {
		if v != 0 {
			at = append(at, i)
		}
	}
	out := image.NewGray(mask.Rect)
	for n, i := range at {
		out.Pix[i] = values[n*len(values)/len(at)]
	}
	return out
}

// fringed returns the mask with the border values of lossy compression: up to 7
// outside and down to 248 inside.
func fringed(d drawing) image.Image {
	const reach = 2
	out := image.NewGray(d.mask.Rect)
	width, height := out.Rect.Dx(), out.Rect.Dy()
	for y := range height {
		for x := range width {
			own := d.mask.Pix[y*width+x]
			near := false
			for row := max(y-reach, 0); row <= min(y+reach, height-1); row++ {
				for column := max(x-reach, 0); column <= min(x+reach, width-1); column++ {
					near = near || d.mask.Pix[row*width+column] != own
				}
			}
			if near {
				own ^= uint8(1 + (3*x+5*y)%7) // 255 minus 1 to 7, or 0 plus 1 to 7
			}
			out.Pix[y*width+x] = own
		}
	}
	return out
}
