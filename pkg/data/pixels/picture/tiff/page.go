package tiff

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"acdclip/pkg/data/pixels/picture/orientation"
	"acdclip/pkg/data/pixels/picture/unsupported"
)

// page is the storage format of the pixels, read from the first directory.
type page struct {
	*directory
	width, height int // stored size in pixels
	orientation   orientation.Orientation
	compression   compression
	colors        colors
	bits          int // bits per sample
	samples       int // samples per pixel, including extra samples
	format        format
	planar        bool // each sample of a pixel is in its own plane
	reversed      bool // the lowest bit of each byte is the first
	predictor     predictor
	extra         []int64 // the meaning of the extra samples
}

// colors is the photometric interpretation: the meaning of the color samples.
type colors int64

const (
	whiteIsZero colors = 0
	blackIsZero colors = 1
	rgb         colors = 2
	palette     colors = 3
	cmyk        colors = 5
	ycbcr       colors = 6
)

// count returns the number of samples of a color.
func (c colors) count() int {
	switch c {
	case rgb, ycbcr:
		return 3
	case cmyk:
		return 4
	}
	return 1
}

// format is the number format of samples.
type format int64

const (
	unsigned  format = 1
	signed    format = 2
	float     format = 3
	undefined format = 4 // read as unsigned, as TIFF 6.0 advises
)

// associatedAlpha is the value of ExtraSamples for alpha with premultiplied colors.
const associatedAlpha = 1

// advice ends the error messages for unsupported features.
const advice = "save the picture as a PNG, or as a TIFF of 8-bit RGB or grey with LZW or Deflate compression"

// maxSamples is the maximum number of samples per pixel.
const maxSamples = 32

// readPage reads the first directory and returns an error for unsupported features.
func readPage(file io.ReaderAt, size int64) (*page, error) {
	d, err := readDirectory(file, size)
	if err != nil {
		return nil, err
	}
	p := &page{directory: d}
	if p.orientation, err = d.orientation(); err != nil {
		return nil, err
	}
	for _, part := range []func() error{p.readSize, p.readCompression, p.readSamples, p.checkDepth, p.readPredictor} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *page) readSize() error {
	for _, side := range []struct {
		t  tag
		to *int
	}{{imageWidth, &p.width}, {imageLength, &p.height}} {
		v, err := p.number(side.t)
		if err != nil {
			return err
		}
		*side.to = int(min(v, math.MaxInt32))
	}
	return nil
}

func (p *page) readCompression() error {
	v, err := p.numberOr(compressionTag, int64(plain))
	if err != nil {
		return err
	}
	p.compression = compression(v)
	if _, known := codecs[p.compression]; known || p.compression == plain || p.compression == jpegInside {
		return nil
	}
	name, known := unread[p.compression]
	if !known {
		name = "compression"
	}
	return unsupported.Feature("%s (compression scheme %d of a TIFF); %s", name, v, advice)
}

func (p *page) readSamples() error {
	var photometric, samples, planar, order int64
	for _, field := range []struct {
		t     tag
		unset int64
		to    *int64
	}{{photometricTag, 0, &photometric}, {samplesPerPixel, 1, &samples}, {planarTag, 1, &planar}, {fillOrder, 1, &order}} {
		v, err := p.numberOr(field.t, field.unset)
		if err != nil {
			return err
		}
		*field.to = v
	}
	p.colors, p.planar, p.reversed = colors(photometric), planar == 2, order == 2
	if err := p.checkColors(); err != nil {
		return err
	}
	if p.colors == ycbcr && samples == 1 {
		p.colors = blackIsZero // as Pillow reads it
	}
	if samples < int64(p.colors.count()) || samples > maxSamples {
		return fmt.Errorf("it has %d samples per pixel, but its colors (photometric interpretation %d) need at least %d, and the maximum is %d", samples, p.colors, p.colors.count(), maxSamples)
	}
	p.samples = int(samples)
	if p.colors == ycbcr && p.planar {
		return unsupported.Feature("YCbCr in separate planes of a TIFF; %s", advice)
	}
	return p.readDepth()
}

// checkColors returns an error for unsupported photometric interpretations.
func (p *page) checkColors() error {
	switch p.colors {
	case whiteIsZero, blackIsZero, rgb, palette, cmyk, ycbcr:
		return nil
	}
	name, known := map[colors]string{
		4: "transparency mask", 8: "CIE L*a*b* color", 9: "ICC L*a*b* color", 10: "ITU L*a*b* color", 32803: "raw camera data (CFA)",
		32844: "LogL grey", 32845: "LogLuv color", 34892: "raw camera data (LinearRaw)",
	}[p.colors]
	if !known {
		name = "color"
	}
	return unsupported.Feature("%s (photometric interpretation %d of a TIFF); %s", name, p.colors, advice)
}

func (p *page) readDepth() (err error) {
	one := []int64{1}
	bits, formats := one, one
	if p.has(bitsPerSample) {
		if bits, err = p.numbers(bitsPerSample, p.samples); err != nil {
			return err
		}
	}
	if p.has(sampleFormat) {
		if formats, err = p.numbers(sampleFormat, p.samples); err != nil {
			return err
		}
	}
	if p.has(extraSamples) {
		if p.extra, err = p.numbers(extraSamples, maxSamples); err != nil {
			return err
		}
	}
	if slices.Min(bits) != slices.Max(bits) || slices.Min(formats) != slices.Max(formats) {
		return unsupported.Feature("samples of different kinds in one pixel of a TIFF (bits %v, formats %v); %s", bits, formats, advice)
	}
	if p.format = format(formats[0]); p.format == undefined {
		p.format = unsigned
	}
	p.bits = int(min(bits[0], math.MaxInt32))
	return nil
}

// depths are the supported bits per sample for each kind of color and number format: all
// that Pillow supports, and others that are unambiguous.
var depths = []struct {
	colors colors
	format format
	bits   []int
}{
	{whiteIsZero, unsigned, []int{1, 2, 4, 8}},
	{whiteIsZero, float, []int{32}},
	{blackIsZero, unsigned, []int{1, 2, 4, 8, 12, 16, 32}},
	{blackIsZero, signed, []int{8, 16, 32}},
	{blackIsZero, float, []int{32}},
	{palette, unsigned, []int{1, 2, 4, 8}},
	{rgb, unsigned, []int{1, 2, 4, 8, 16}},
	{rgb, float, []int{32}},
	{cmyk, unsigned, []int{8, 16}},
	{ycbcr, unsigned, []int{8}},
}

func (p *page) checkDepth() error {
	if p.readsDepth() {
		if p.format == float && p.associated() {
			return unsupported.Feature("floats that are premultiplied by alpha in a TIFF; %s", advice)
		}
		return nil
	}
	kind, known := map[format]string{unsigned: "unsigned", signed: "signed", float: "floating-point"}[p.format]
	if !known {
		kind = fmt.Sprintf("(sample format %d)", p.format)
	}
	return unsupported.Feature("samples of %d %s bits with photometric interpretation %d in a TIFF of compression scheme %d; %s", p.bits, kind, p.colors, p.compression, advice)
}

func (p *page) readsDepth() bool {
	if p.compression == jpegInside && p.bits != 8 || p.compression.isFax() && p.bits*p.planeSamples() != 1 {
		return false
	}
	// Pillow reads 16-bit grey with white as zero only from little-endian files.
	if p.colors == whiteIsZero && p.format == unsigned && p.bits == 16 {
		return p.order == binary.LittleEndian
	}
	for _, d := range depths {
		if d.colors == p.colors && d.format == p.format {
			return slices.Contains(d.bits, p.bits)
		}
	}
	return false
}

// planeSamples returns the number of interleaved samples per pixel.
func (p *page) planeSamples() int {
	if p.planar {
		return 1
	}
	return p.samples
}

func (p *page) readPredictor() error {
	if !p.compression.predicts() {
		return nil
	}
	v, err := p.numberOr(predictorTag, int64(noPredictor))
	if err != nil {
		return err
	}
	switch p.predictor = predictor(v); {
	case p.predictor == noPredictor,
		p.predictor == differences && slices.Contains([]int{8, 16, 32}, p.bits),
		p.predictor == floatBytes && p.format == float:
		return nil
	}
	return unsupported.Feature("predictor %d with samples of %d bits in a TIFF; %s", v, p.bits, advice)
}

// associated reports whether the colors are premultiplied by the alpha after them.
func (p *page) associated() bool {
	if len(p.extra) == 0 { // without ExtraSamples, Pillow assumes it in this one layout
		return p.colors == rgb && p.samples == 4 && p.planar && p.compression != plain
	}
	return p.samples > p.colors.count() && p.extra[0] == associatedAlpha
}

// used returns the number of samples needed per pixel: the colors, and alpha if they are
// premultiplied by it.
func (p *page) used() int {
	if p.associated() {
		return p.colors.count() + 1
	}
	return p.colors.count()
}

// mode returns Pillow's name of the pixel format, with the number of bits above 8.
func (p *page) mode() Mode {
	alpha := ""
	if p.samples > p.colors.count() && (len(p.extra) == 0 || p.extra[0] != 0) {
		alpha = "A"
	}
	switch p.colors {
	case palette:
		return Mode("P" + alpha)
	case whiteIsZero, blackIsZero:
		switch {
		case p.format == float:
			return "F"
		case p.bits == 32 || p.format == signed && p.bits == 16:
			return "I"
		case p.bits == 1 && p.samples == 1:
			return "1"
		}
		return Mode("L" + alpha + p.deep())
	case cmyk:
		return Mode("CMYK" + p.deep())
	}
	return Mode("RGB" + alpha + p.deep())
}

func (p *page) deep() string {
	if p.bits > 8 {
		return fmt.Sprintf(";%d", p.bits)
	}
	return ""
}
