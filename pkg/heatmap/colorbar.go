package heatmap

import (
	"image"
	"image/color"
	"image/draw"
	"strconv"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// ColorBar draws the color scale of heat maps, from its low end at the bottom to its high
// end at the top, with ticks at its quarters.
func ColorBar(s Style) *image.RGBA {
	const (
		margin = 16
		bar    = 32           // width of the bar in pixels
		height = 2*colors + 1 // about two rows per color; ticks are on whole rows
		tick   = 6
		width  = margin + bar + tick + 4 + 4*7 + margin // 4 characters per label, 7 pixels per character
	)
	drawn := image.NewRGBA(image.Rect(0, 0, width, margin+height+margin))
	draw.Draw(drawn, drawn.Bounds(), image.White, image.Point{}, draw.Src)
	scale := s.Map.Colors()
	for y := range height {
		step := ((height-1-y)*(colors-1) + colors) / (height - 1) // rounded
		line := image.Rect(margin, margin+y, margin+bar, margin+y+1)
		draw.Draw(drawn, line, image.NewUniform(scale[step]), image.Point{}, draw.Src)
	}
	label := font.Drawer{Dst: drawn, Src: image.Black, Face: basicfont.Face7x13}
	for quarter := range 5 {
		y := margin + (height-1)*(4-quarter)/4
		for x := range tick {
			drawn.Set(margin+bar+x, y, color.Black)
		}
		label.Dot = fixed.P(margin+bar+tick+4, y+4) // centers the digits vertically on the tick
		label.DrawString(strconv.FormatFloat(float64(s.Scale.Low)+float64(quarter)/4*float64(s.Scale.High-s.Scale.Low), 'f', 2, 64))
	}
	return drawn
}
