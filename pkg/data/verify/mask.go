package verify

import (
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
)

// faint is the mask threshold that other programs use.
const faint = 128

// maskFile is a decoded mask, or one of its files.
type maskFile struct {
	info   picture.Info
	grey   *picture.Grey // nil if only the header was read
	color  picture.MaskColor
	values [256]int64 // number of pixels with each grey value
}

// hasAlpha reports whether the mask has an alpha channel, which is ignored.
func (m *maskFile) hasAlpha() bool {
	mode, _, _ := strings.Cut(m.info.Mode, ";")
	return mode == "LA" || mode == "RGBA"
}

// binary reports whether the mask has only the values 0 and 255 and neither color nor alpha.
func (m *maskFile) binary() bool {
	return !m.hasAlpha() && !m.color.Colored && m.values[0]+m.values[255] == int64(len(m.grey.Pix))
}

// join adds the marked pixels of another file of the same mask.
func (m *maskFile) join(o *maskFile) {
	if m.grey == nil {
		*m = *o
		return
	}
	other := o.grey
	if other.Width != m.grey.Width || other.Height != m.grey.Height {
		other = other.ResizeNearest(m.grey.Width, m.grey.Height)
	}
	for i, v := range other.Pix {
		m.grey.Pix[i] = max(m.grey.Pix[i], v)
	}
	m.values = histogram(m.grey.Pix)
}

// mode returns a name for the mask's pixel format.
func (m *maskFile) mode() string {
	mode := m.info.Format + " " + m.info.Mode
	if m.color.Colored {
		mode += " with color"
	}
	return mode
}

// checkMask reads all files of a picture's mask and adds findings.
func (j *job) checkMask(t *tally, row int, item data.Item, of pictureFile, add findingAdder) {
	var whole maskFile
	complete := true // false if a file could not be read, so the union is unknown
	var odd []func() // findings about single files, added after those about the whole mask
	for _, path := range item.MaskFiles() {
		part, ok := j.checkPart(t, row, path, of, add)
		if complete = complete && ok; !ok {
			continue
		}
		if !part.binary() {
			detail := part.mode() + "; " + describe(part.values)
			odd = append(odd, func() { add(data.NonBinaryMask, path, detail) })
		}
		if detail := j.markedBackground(&part); detail != "" {
			odd = append(odd, func() { add(data.MarkedBackground, path, detail) })
		}
		whole.join(&part)
	}
	if complete {
		j.checkMarks(&whole, func(code data.Code, detail string) { add(code, item.Mask, detail) })
	}
	for _, tell := range odd {
		tell()
	}
}

// checkPart reads one file of a mask; ok reports whether its pixels were read.
func (j *job) checkPart(t *tally, row int, path string, of pictureFile, add findingAdder) (m maskFile, ok bool) {
	own := j.owns(row, path)
	turn, err := j.readMask(&m, path, of, !own)
	switch {
	case err != nil && own:
		add(data.Undecodable, path, reason(err, path))
		return m, false
	case err != nil:
		return m, false // the first row with this file checks it
	}
	j.checkSize(path, pixels.Size{Width: m.info.Width, Height: m.info.Height}, of, turn, add)
	if !own {
		return m, false
	}
	t.masks.add(m.info)
	if m.grey == nil {
		return m, false
	}
	m.values = histogram(m.grey.Pix)
	for value, count := range m.values {
		t.masks.Values[value] += count
	}
	return m, true
}

// readMask reads a mask, or only its header, and returns its rotation.
func (j *job) readMask(m *maskFile, path string, of pictureFile, header bool) (turn picture.Orientation, err error) {
	turn = picture.Upright
	if header || j.Quick || of.turn > turn {
		if m.info, err = picture.Inspect(path, j.Decode); err != nil || header || j.Quick {
			return turn, err
		}
		turn, _ = of.fit(pixels.Size{Width: m.info.Width, Height: m.info.Height})
	}
	m.grey, m.info, m.color, err = picture.DecodeMaskColor(path, j.threshold, j.Decode, turn)
	return turn, err
}

// fit returns the rotation of a mask of the given stored size, and how it matches the picture.
func (p pictureFile) fit(mask pixels.Size) (picture.Orientation, pixels.MaskFit) {
	return pixels.FitMask(pixels.TurnedSize(p.stored, p.turn), mask, p.turn)
}

// checkSize compares the stored size of a mask, rotated by turn, with its picture's size.
func (j *job) checkSize(path string, mask pixels.Size, of pictureFile, turn picture.Orientation, add findingAdder) {
	if of.stored == (pixels.Size{}) {
		return
	}
	_, fit := of.fit(mask)
	want := of.stored
	if turn <= picture.Upright {
		want = pixels.TurnedSize(of.stored, of.turn)
	}
	if swapped := (pixels.Size{Width: of.stored.Height, Height: of.stored.Width}); of.unknown && (mask == swapped || pixels.SameAspect(mask, swapped)) {
		want = swapped // the picture may be rotated to this size
		fit = pixels.MaskFits
	}
	if fit == pixels.MaskEitherWay {
		add(data.TurnedMask, path, fmt.Sprintf("%d x %d pixels", mask.Width, mask.Height))
	}
	if mask == want {
		return
	}
	text := fmt.Sprintf("%d x %d pixels, its picture has %d x %d", mask.Width, mask.Height, want.Width, want.Height)
	if fit == pixels.MaskOtherAspect {
		text += "; the aspect ratios differ"
	}
	add(data.MaskSizeMismatch, path, text)
}

// markedBackground describes a palette whose first color is read as anomalous, since
// programs that write masks with a palette use its first color as the background; "" if
// the mask has none.
func (j *job) markedBackground(m *maskFile) string {
	if m.info.Mode != "P" {
		return ""
	}
	c := m.color.First
	if grey := picture.Luma(c.R, c.G, c.B); m.color.Palette && grey >= j.threshold && m.values[grey] > 0 {
		return fmt.Sprintf("the first color is #%02x%02x%02x, read as grey value %d", c.R, c.G, c.B, grey)
	}
	return ""
}

// checkMarks checks the marked pixels of an anomalous picture's mask.
func (j *job) checkMarks(m *maskFile, add func(code data.Code, detail string)) {
	top, threshold := largest(m.values), int(j.threshold)
	scaled := top
	if j.ImageSize > 0 && top >= threshold {
		scaled = int(m.grey.MaxNearest(j.ImageSize, j.ImageSize, max(j.threshold, faint)))
	}
	marked := above(m.values, threshold)
	switch {
	case top == 0:
		add(data.EmptyMask, "all values are 0")
	case marked == 0:
		add(data.EmptyMask, fmt.Sprintf("no value of at least %d; the largest is %d", threshold, top))
	case scaled < threshold:
		add(data.EmptyMask, fmt.Sprintf("only after scaling to %d x %d: none of its %d anomalous pixels remains", j.ImageSize, j.ImageSize, marked))
	case top < faint:
		add(data.FaintMask, fmt.Sprintf("the largest value is %d", top))
	case scaled < faint:
		add(data.FaintMask, fmt.Sprintf("after scaling to %d x %d the largest value is %d; %d of its %d anomalous pixels are above 127", j.ImageSize, j.ImageSize, scaled, above(m.values, faint), marked))
	}
	if marked == int64(len(m.grey.Pix)) {
		detail := describe(m.values)
		if m.hasAlpha() {
			detail += "; its alpha channel is ignored"
		}
		add(data.FullMask, detail)
	}
}

// histogram counts the values in four tables, because with one table the long runs of
// equal values in masks would stall on the same counter.
func histogram(pix []uint8) [256]int64 {
	var tables [4][256]uint32
	var sum [256]int64
	const most = 1 << 30 // maximum of a counter
	for block := range slices.Chunk(pix, most) {
		for ; len(block) >= 4; block = block[4:] {
			tables[0][block[0]]++
			tables[1][block[1]]++
			tables[2][block[2]]++
			tables[3][block[3]]++
		}
		for _, v := range block {
			tables[0][v]++
		}
		for i := range tables {
			for value, count := range tables[i] {
				sum[value] += int64(count)
			}
			tables[i] = [256]uint32{}
		}
	}
	return sum
}

// above counts the pixels with a value of at least threshold.
func above(values [256]int64, threshold int) int64 {
	var count int64
	for _, n := range values[threshold:] {
		count += n
	}
	return count
}

func largest(values [256]int64) int {
	for value := 255; value > 0; value-- {
		if values[value] > 0 {
			return value
		}
	}
	return 0
}

// describe lists the most frequent values: "0: 98.10 %, 255: 1.20 %, 254: 0.10 %, and 61 more".
func describe(values [256]int64) string {
	var all int64
	var present []int
	for value, count := range values {
		all += count
		if count > 0 {
			present = append(present, value)
		}
	}
	slices.SortStableFunc(present, func(a, b int) int { return int(max(-1, min(1, values[b]-values[a]))) })
	const shown = 3
	var parts []string
	for _, value := range present[:min(shown, len(present))] {
		parts = append(parts, fmt.Sprintf("%d: %.2f %%", value, 100*float64(values[value])/float64(all)))
	}
	if more := len(present) - shown; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}
