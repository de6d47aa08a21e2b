package verify

import (
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/data"
	"acdclip/pkg/data/picture"
)

// faint is the threshold that other programs read masks with.
const faint = 128

// maskFile is a mask as it was read.
type maskFile struct {
	info    picture.Info
	grey    *picture.Grey // nil where only the header was read
	colored bool          // some pixel's channels differ
}

// binary reports whether the mask is as a mask should be, with these values in it.
func (m maskFile) binary(values *[256]int64) bool {
	alpha := slices.Contains([]string{"LA", "RGBA"}, strings.TrimSuffix(m.info.Mode, ";16"))
	return !alpha && !m.colored && values[0]+values[255] == int64(len(m.grey.Pix))
}

// mode names what the mask's pixels are.
func (m maskFile) mode() string {
	mode := m.info.Format + " " + m.info.Mode
	if m.colored {
		mode += " with color"
	}
	return mode
}

// checkValues looks at the values of an anomalous picture's mask, and adds them to stats.
func (j *job) checkValues(stats *FileStats, m maskFile, find func(code data.Code, detail string)) {
	values := histogram(m.grey.Pix)
	for value, count := range values {
		stats.Values[value] += count
	}
	top, threshold := largest(values), int(j.threshold)
	scaled := top
	if j.ImageSize > 0 && top >= threshold {
		scaled = int(m.grey.MaxNearest(j.ImageSize, j.ImageSize, max(j.threshold, faint)))
	}
	switch marked := above(values, threshold); {
	case top == 0:
		find(data.EmptyMask, "no value but 0")
	case marked == 0:
		find(data.EmptyMask, fmt.Sprintf("no value of at least %d; the largest is %d", threshold, top))
	case scaled < threshold:
		find(data.EmptyMask, fmt.Sprintf("only after scaling to %d x %d: none of its %d anomalous pixels is taken", j.ImageSize, j.ImageSize, marked))
	case top < faint:
		find(data.FaintMask, fmt.Sprintf("the largest value is %d", top))
	case scaled < faint:
		find(data.FaintMask, fmt.Sprintf("after scaling to %d x %d the largest value is %d; %d of its %d anomalous pixels are above 127", j.ImageSize, j.ImageSize, scaled, above(values, faint), marked))
	}
	if !m.binary(&values) {
		find(data.NonBinaryMask, m.mode()+"; "+describe(values))
	}
}

// histogram counts the values in four tables, since one would wait for itself:
// masks are long runs of one value.
func histogram(pix []uint8) [256]int64 {
	var tables [4][256]uint32
	var sum [256]int64
	const most = 1 << 30 // of a table's counts
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

// describe names the most frequent values: "0: 98.10 %, 255: 1.20 %, 254: 0.10 %, and 61 more".
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
