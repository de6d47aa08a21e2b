package verify

import (
	"fmt"
	"image"
	"image/color"
	"maps"
	"slices"
	"testing"
	"time"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
)

// kind is a dataset of 100 normal and 100 anomalous pictures.
type kind struct {
	side           image.Point
	good, hole     string // extensions of normal and anomalous pictures
	picture, masks string // kinds of content
}

var kinds = map[string]kind{
	"jpeg":        {image.Pt(600, 400), "jpg", "jpg", "rgb", "grey"},
	"jpeg+png":    {image.Pt(600, 400), "jpg", "png", "rgb", "grey"},
	"large grey":  {image.Pt(1024, 1024), "png", "png", "grey", "grey"},
	"color masks": {image.Pt(600, 400), "png", "png", "rgb", "rgb"},
	"palettes":    {image.Pt(600, 400), "png", "png", "rgb", "palette"},
	"brain":       {image.Pt(240, 240), "png", "png", "rgba", "rgba"},
}

// discover draws the dataset: noisy photos, and a blob on each mask.
func (k kind) discover(b *testing.B) *data.Dataset {
	b.Helper()
	bounds := image.Rectangle{Max: k.side}
	photo, mask := image.NewNRGBA(bounds), draw(b, k.masks, bounds, nil)
	blob := k.side.X / 20
	for y := range k.side.Y {
		for x := range k.side.X {
			grain := uint8((x*7919 ^ y*104729) >> 3 & 15)
			photo.SetNRGBA(x, y, color.NRGBA{uint8(x/4) + grain, uint8(y/4) + grain, uint8((x+y)/8) + grain, 255})
			if dx, dy := x-k.side.X/2, y-k.side.Y/2; dx*dx+dy*dy < blob*blob {
				mask.(interface{ Set(x, y int, c color.Color) }).Set(x, y, color.White)
			}
		}
	}
	var drawn image.Image = photo
	switch k.picture {
	case "rgba":
		drawn = translucent{photo}
	case "grey":
		grey := image.NewGray(bounds)
		for i := range grey.Pix {
			grey.Pix[i] = photo.Pix[4*i]
		}
		drawn = grey
	}
	const each = 100
	files := tree{}
	for pattern, m := range map[string]image.Image{"c/test/good/%d." + k.good: drawn, "c/test/hole/%d." + k.hole: drawn, "c/ground_truth/hole/%d_mask.png": mask} {
		content := raw + string(encode(b, pattern, m))
		for i := range each {
			files[fmt.Sprintf(pattern, i)] = content
		}
	}
	return files.discover(b, "own", config.Root{})
}

// BenchmarkKinds verifies each dataset in full, then only decodes it, on one
// goroutine, and reports the ratio of the two times; more than 1 is too slow.
func BenchmarkKinds(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		b.Run(name, func(b *testing.B) {
			d := kinds[name].discover(b)
			var reading, decoding time.Duration
			for b.Loop() {
				start := time.Now()
				if _, err := Run(b.Context(), d, Options{Workers: 1, ImageSize: 518}); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				for _, item := range d.Items {
					for _, path := range files(item) {
						if _, err := picture.Decode(path, picture.DecodeOptions{}); err != nil {
							b.Fatal(err)
						}
					}
				}
				reading, decoding = reading+between.Sub(start), decoding+time.Since(between)
			}
			b.ReportMetric(reading.Seconds()/decoding.Seconds(), "of-decoding")
		})
	}
}
