package verify

import (
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"acdclip/pkg/regularfile"
)

// paletteHeaders read what the headers of formats with palettes say, by the formats' names.
var paletteHeaders = map[string]func(io.Reader) (image.Config, error){
	"PNG": png.DecodeConfig, "GIF": gif.DecodeConfig, "BMP": bmp.DecodeConfig, "TIFF": tiff.DecodeConfig,
}

// firstColorOf gives the first color of the palette of a picture's file.
func firstColorOf(path, format string) (color.NRGBA, bool) {
	file, _, err := regularfile.Open(path)
	if err != nil {
		return color.NRGBA{}, false
	}
	defer file.Close()
	return firstColor(file, format)
}

// firstColor gives the first color of a palette, its alpha aside, without which
// masks are read. There is none where the header cannot be read.
func firstColor(r io.Reader, format string) (c color.NRGBA, ok bool) {
	header, known := paletteHeaders[format]
	if !known {
		return c, false
	}
	defer func() { // what a decoder makes of a hostile header must not end the program
		if recover() != nil {
			c, ok = color.NRGBA{}, false
		}
	}()
	config, err := header(r)
	if err != nil {
		return c, false
	}
	palette, isPalette := config.ColorModel.(color.Palette)
	if !isPalette || len(palette) == 0 {
		return c, false
	}
	if plain, ok := palette[0].(color.NRGBA); ok { // its channels stay as they are under alpha 0
		return plain, true
	}
	return color.NRGBAModel.Convert(palette[0]).(color.NRGBA), true
}
