package picture

import (
	"errors"
	"fmt"
	"image/color"
	"os"

	"acdclip/pkg/regularfile"
)

// Info is the content of a picture's header.
type Info struct {
	Format        string // "PNG", "JPEG", "BMP", "TIFF", "GIF" or "WebP"
	Mode          string // Pillow's name of the pixel format: "1" (bilevel), "L" (grey), "P" (palette), "LA", "RGB", "RGBA", "CMYK", "I" (32-bit or signed integers), "F" (floats); with the number of bits, as in ";16", for channels of more than 8
	Width, Height int    // stored size in pixels; of a TIFF, the size after applying its orientation
}

// Inspect reads only a picture's header. Its errors are those of Decode that the header
// reveals.
func Inspect(path string, o DecodeOptions) (Info, error) {
	file, _, info, err := openPicture(path, o)
	if err != nil {
		return Info{}, err
	}
	return info, file.Close()
}

// pngMode is the color model in a PNG's header, which is more exact than image/png's.
type pngMode struct{ depth, colorType uint8 }

// Convert makes pngMode a color.Model; only its name is used.
func (pngMode) Convert(c color.Color) color.Color { return c }

func (m pngMode) String() string {
	name, known := map[uint8]string{0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}[m.colorType]
	switch {
	case !known:
		return fmt.Sprintf("color type %d", m.colorType)
	case m.depth == 16:
		return name + ";16"
	case m.depth == 1 && m.colorType == 0:
		return "1"
	}
	return name
}

// grey16 is the mode of 16-bit grey.
const grey16 = "L;16"

// modeOf returns the mode for a decoder's color model.
func modeOf(model color.Model) string {
	if named, ok := model.(fmt.Stringer); ok { // the reader returns Pillow's name itself
		return named.String()
	}
	if palette, ok := model.(color.Palette); ok {
		if isGreyScale(palette) {
			return "L"
		}
		return "P"
	}
	switch model {
	case color.GrayModel:
		return "L"
	case color.Gray16Model:
		return grey16
	case color.RGBAModel, color.YCbCrModel:
		return "RGB"
	case color.NRGBAModel, color.NYCbCrAModel:
		return "RGBA"
	case color.RGBA64Model, color.NRGBA64Model:
		return "RGB;16"
	case color.CMYKModel:
		return "CMYK"
	}
	return "unknown"
}

// isGreyScale reports whether a palette is the full grey scale, as in grey BMPs.
func isGreyScale(palette color.Palette) bool {
	for i, c := range palette {
		v := uint32(i) * 0xffff / uint32(max(len(palette)-1, 1))
		if r, g, b, _ := c.RGBA(); r != v || g != v || b != v {
			return false
		}
	}
	return true
}

// openPicture opens the file at path and checks that it is a picture whose header
// declares at most o.MaxPixels. Every error names the path.
func openPicture(path string, o DecodeOptions) (*os.File, os.FileInfo, Info, error) {
	file, found, err := regularfile.Open(path)
	if other, ok := errors.AsType[*regularfile.OtherError](err); ok {
		return nil, nil, Info{}, fmt.Errorf("%s: %w: it is %s", path, ErrNotPicture, other.Kind)
	}
	if err != nil {
		return nil, nil, Info{}, err
	}
	_, info, err := checkHeader(file, found.Size(), o)
	if err != nil {
		file.Close()
		return nil, nil, Info{}, fmt.Errorf("%s: %w", path, err)
	}
	return file, found, info, nil
}
