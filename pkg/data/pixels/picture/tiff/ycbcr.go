package tiff

import (
	"fmt"
	"math"

	"acdclip/pkg/data/pixels/picture/unsupported"
)

// yccLayout is the storage format of YCbCr without JPEG: units of across x down pixels,
// each with all luma samples, then one Cb and one Cr. The tables contain the contribution
// of each value to red, green and blue, as libtiff computes it.
type yccLayout struct {
	across, down int
	luma         [256]int32
	redOfCr      [256]int32
	blueOfCb     [256]int32
	greenOfCr    [256]int32 // with 16 fractional bits
	greenOfCb    [256]int32
}

func (p *page) yccLayout() (*yccLayout, error) {
	y := &yccLayout{across: 2, down: 2}
	if p.has(yccSubsampling) {
		v, err := p.numbers(yccSubsampling, 2)
		if err != nil {
			return nil, err
		}
		if len(v) < 2 || !yccFactor(v[0]) || !yccFactor(v[1]) {
			return nil, fmt.Errorf("its %v is %v, expected 1, 2 or 4 in both directions", yccSubsampling, v)
		}
		y.across, y.down = int(v[0]), int(v[1])
	}
	if p.samples != 3 || p.predictor == differences && y.across*y.down > 1 {
		return nil, unsupported.Feature("YCbCr with %d samples per pixel, subsampling %d x %d and predictor %d in a TIFF; %s", p.samples, y.across, y.down, p.predictor, advice)
	}
	weights, err := p.fractions(yccCoefficients, []float64{0.299, 0.587, 0.114})
	if err != nil {
		return nil, err
	}
	levels, err := p.fractions(blackWhite, []float64{0, 255, 128, 255, 128, 255})
	if err != nil {
		return nil, err
	}
	if weights[1] == 0 {
		return nil, fmt.Errorf("its %v gives green no weight", yccCoefficients)
	}
	y.fill(weights, levels)
	return y, nil
}

func yccFactor(v int64) bool { return v == 1 || v == 2 || v == 4 }

// fractions reads len(unset) real numbers; if the field is missing, it returns unset.
func (p *page) fractions(t tag, unset []float64) ([]float64, error) {
	if !p.has(t) {
		return unset, nil
	}
	v, err := p.reals(t, len(unset))
	if err != nil {
		return nil, err
	}
	if len(v) < len(unset) {
		return nil, fmt.Errorf("its %v has %d values, expected %d", t, len(v), len(unset))
	}
	for _, f := range v {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("its %v is not a finite number", t)
		}
	}
	return v, nil
}

// fill computes the tables from the weights of red, green and blue in luma and the black
// and white levels of Y, Cb and Cr. (TIFF 6.0, section 21; rounding as in libtiff's
// tif_color.c, with 16 fractional bits.)
func (y *yccLayout) fill(weights, levels []float64) {
	const half = 1 << 15
	fixed := func(v float32) int32 { return int32(float64(min(max(v, 0), 2))*(1<<16) + 0.5) }
	red, green, blue := float32(weights[0]), float32(weights[1]), float32(weights[2])
	ofCr, ofCb := 2-2*red, 2-2*blue
	crRed, crGreen := fixed(ofCr), -fixed(red*ofCr/green)
	cbBlue, cbGreen := fixed(ofCb), -fixed(blue*ofCb/green)
	for i := range 256 {
		c := int32(i) - 128
		cr := yccLevel(c, levels[4]-128, levels[5]-128, 127)
		cb := yccLevel(c, levels[2]-128, levels[3]-128, 127)
		y.redOfCr[i] = (crRed*cr + half) >> 16
		y.blueOfCb[i] = (cbBlue*cb + half) >> 16
		y.greenOfCr[i] = crGreen * cr
		y.greenOfCb[i] = cbGreen*cb + half
		y.luma[i] = yccLevel(c+128, levels[0], levels[1], 255)
	}
}

// yccLevel scales a value so that black becomes 0 and white becomes full.
func yccLevel(v int32, black, white float64, full float32) int32 {
	const most = 128 * 32 // no color exceeds this
	whole := func(f float64) float32 { return float32(int32(min(max(f, -1<<20), 1<<20))) }
	span := float32(white) - float32(black)
	if span == 0 {
		span = 1
	}
	return int32(min(max((float32(v)-whole(black))*full/span, -most), most))
}

// yccBlock decompresses a strip or tile of YCbCr and converts it to RGB.
func (r *reader) yccBlock(src []byte, width, rows int) (block, error) {
	y := r.ycbcr
	unit := y.across*y.down + 2
	unitRow := ceilDiv(int64(width), int64(y.across)) * int64(unit) // bytes per row of units
	unitRows := int(ceilDiv(int64(rows), int64(y.down)))
	b, err := r.unpack(src, unitRows, int(unitRow), width)
	if err != nil {
		return block{}, err
	}
	out := make([]byte, rows*width*3)
	for row := range rows {
		if r.predictor == differences && r.compression.predicts() {
			r.predictor.undo(b[row*int(unitRow):][:unitRow], 8, 3, r.order)
		}
		for x := range width {
			u := b[row/y.down*int(unitRow)+x/y.across*unit:][:unit]
			luma := u[row%y.down*y.across+x%y.across]
			y.pixel(out[(row*width+x)*3:][:3], luma, u[unit-2], u[unit-1])
		}
	}
	return block{out, width, rows, width * 3, true}, nil
}

func (y *yccLayout) pixel(dst []uint8, luma, cb, cr uint8) {
	l := y.luma[luma]
	dst[0] = clamp(l + y.redOfCr[cr])
	dst[1] = clamp(l + (y.greenOfCb[cb]+y.greenOfCr[cr])>>16)
	dst[2] = clamp(l + y.blueOfCb[cb])
}

func clamp(v int32) uint8 { return uint8(min(max(v, 0), 255)) }
