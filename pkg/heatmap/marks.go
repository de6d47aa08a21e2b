package heatmap

import (
	"acdclip/pkg/anomalymap"
	"image"
	"image/color"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// RegionColor is the color of outlines of the regions that a model finds, which no part of
// the color map is like.
func (m ColorMap) RegionColor() color.Color {
	switch m {
	case Viridis, Turbo, Jet: // they have cyan or green
		return color.RGBA{255, 0, 255, 255}
	}
	return color.RGBA{0, 255, 255, 255}
}

// TruthColor is the color of outlines of what a dataset marks as anomalous.
func TruthColor() color.Color { return color.RGBA{80, 255, 80, 255} }

// Outline draws the inner border of a mask's white regions onto a drawing of the same size.
// The line is one pixel wide in small pictures, and wider in large ones.
func Outline(drawing draw.Image, mask *image.Gray, c color.Color) {
	border(mask, func(line image.Rectangle) {
		draw.Draw(drawing, line, image.NewUniform(c), image.Point{}, draw.Src)
	})
}

// Marked is Overlay with the outlines of the regions where the map reaches a threshold; nil for
// none.
func Marked(m *anomalymap.Map, s Style, threshold *float32, picture []uint8, width, height int) (*image.RGBA, error) {
	overlay, err := Overlay(m, s, picture, width, height)
	if err != nil || threshold == nil {
		return overlay, err
	}
	regions, err := Mask(m, *threshold, width, height)
	if err != nil {
		return nil, err
	}
	Outline(overlay, regions, s.Map.RegionColor())
	return overlay, nil
}

// OutlineLayer is Outline on a transparent ground.
func OutlineLayer(mask *image.Gray, c color.Color) *image.Paletted {
	layer := image.NewPaletted(mask.Bounds(), color.Palette{color.Transparent, c})
	border(mask, func(line image.Rectangle) {
		for y := line.Min.Y; y < line.Max.Y; y++ {
			for x := line.Min.X; x < line.Max.X; x++ {
				layer.SetColorIndex(x, y, 1)
			}
		}
	})
	return layer
}

// border visits the parts of the line along the inner border of a mask's white regions.
func border(mask *image.Gray, visit func(line image.Rectangle)) {
	const finest = 400 // pixels of the shorter side for each pixel of the line's width
	bounds := mask.Bounds()
	reach := min(bounds.Dx(), bounds.Dy()) / finest // pixels beside the border
	inside := func(x, y int) bool {
		return image.Pt(x, y).In(bounds) && mask.Pix[mask.PixOffset(x, y)] != 0
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if !inside(x, y) || inside(x-1, y) && inside(x+1, y) && inside(x, y-1) && inside(x, y+1) {
				continue
			}
			visit(image.Rect(x-reach, y-reach, x+reach+1, y+reach+1).Intersect(bounds))
		}
	}
}

// Caption writes a line of ASCII text into the lower left corner, in white on black. A
// picture in which it would take more than half of the height or the whole width stays as
// it is, and Caption returns false.
func Caption(picture *image.RGBA, text string) bool {
	const (
		glyphWidth, glyphHeight = 7, 13
		margin                  = 3
		perEnlargement          = 400 // pixels of the shorter side
	)
	bounds := picture.Bounds()
	enlarged := max(1, min(bounds.Dx(), bounds.Dy())/perEnlargement)
	size := image.Pt(len(text)*glyphWidth+2*margin, glyphHeight+2*margin)
	if size.X*enlarged > bounds.Dx() || 2*size.Y*enlarged > bounds.Dy() {
		return false
	}
	label := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(label, label.Bounds(), image.Black, image.Point{}, draw.Src)
	drawer := font.Drawer{Dst: label, Src: image.White, Face: basicfont.Face7x13, Dot: fixed.P(margin, margin+basicfont.Face7x13.Ascent)}
	drawer.DrawString(text)
	corner := image.Pt(bounds.Min.X, bounds.Max.Y-size.Y*enlarged)
	for y := range size.Y * enlarged {
		for x := range size.X * enlarged {
			picture.SetRGBA(corner.X+x, corner.Y+y, label.RGBAAt(x/enlarged, y/enlarged))
		}
	}
	return true
}

// Around returns the color scale that shows a threshold at three fifths of its length, so
// that what reaches it is in bright colors and what is normal in dark ones. It begins where s
// does.
func (s Scale) Around(threshold float32) Scale {
	const share = 0.6
	if threshold <= s.Low {
		return s
	}
	return Scale{Low: s.Low, High: s.Low + (threshold-s.Low)/share}
}
