package heatmap

import (
	"fmt"
	"image"
	"image/draw"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// Panel is a titled part of a figure.
type Panel struct {
	Title   string
	Picture image.Image
}

// Figure lays panels side by side on white, each below its title, with lines of a caption
// below them. A text that is too long loses its beginning. There is at least one panel.
func Figure(panels []Panel, caption []string) (*image.RGBA, error) {
	const (
		margin = 12
		line   = 18 // height of a line of text
		size   = 13 // of the letters, in pixels
	)
	face, err := newFace(size)
	if err != nil {
		return nil, fmt.Errorf("drawing a figure: %w", err)
	}
	defer face.Close()
	const narrowest = 90 // pixels of a panel, for its title
	width, height := margin, 0
	for _, panel := range panels {
		bounds := panel.Picture.Bounds()
		width += max(bounds.Dx(), narrowest) + margin
		height = max(height, bounds.Dy())
	}
	drawn := image.NewRGBA(image.Rect(0, 0, width, margin+line+height+margin/2+len(caption)*line+margin))
	draw.Draw(drawn, drawn.Bounds(), image.White, image.Point{}, draw.Src)
	write := func(text string, x, y, room int) {
		drawer := font.Drawer{Dst: drawn, Src: image.Black, Face: face, Dot: fixed.P(x, y+size)}
		drawer.DrawString(shortened(face, text, room))
	}
	x := margin
	for _, panel := range panels {
		bounds := panel.Picture.Bounds()
		wide := max(bounds.Dx(), narrowest)
		write(panel.Title, x, margin, wide)
		place := image.Rect(0, 0, bounds.Dx(), bounds.Dy()).Add(image.Pt(x, margin+line))
		draw.Draw(drawn, place, panel.Picture, bounds.Min, draw.Src)
		x += wide + margin
	}
	for i, text := range caption {
		write(text, margin, margin+line+height+margin/2+i*line, width-2*margin)
	}
	return drawn, nil
}

// newFace returns the Go fonts' regular face. The caller closes it.
func newFace(size float64) (font.Face, error) {
	parsed, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	return opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
}

// shortened returns the end of a text that fits into so many pixels, after "…" if that is not
// all of it.
func shortened(face font.Face, text string, room int) string {
	letters := []rune(text)
	for cut := 0; cut < len(letters); cut++ {
		rest := text
		if cut > 0 {
			rest = "…" + string(letters[cut:])
		}
		if font.MeasureString(face, rest).Ceil() <= room {
			return rest
		}
	}
	return ""
}
