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

// checkMask looks at the mask of an anomalous picture, and adds its values to stats.
func (j *job) checkMask(stats *FileStats, mask *picture.Grey, info picture.Info, find func(code data.Code, detail string)) {
	values := histogram(mask.Pix)
	for value, count := range values {
		stats.Values[value] += count
	}
	scaled := values
	if j.ImageSize > 0 {
		scaled = histogram(mask.ResizeNearest(j.ImageSize, j.ImageSize).Pix)
	}
	threshold := max(int(j.set.MaskThreshold), picture.NonZero)
	switch atThreshold, atFaint := above(values, threshold), above(values, faint); {
	case atThreshold == 0:
		detail := "no value but 0"
		if top := largest(values); top > 0 {
			detail = fmt.Sprintf("no value of at least %d; the largest is %d", threshold, top)
		}
		find(data.EmptyMask, detail)
	case above(scaled, threshold) == 0:
		find(data.EmptyMask, fmt.Sprintf("only after scaling to %d x %d: none of its %d anomalous pixels is taken", j.ImageSize, j.ImageSize, atThreshold))
	case atFaint == 0:
		find(data.FaintMask, fmt.Sprintf("the largest value is %d", largest(values)))
	case above(scaled, faint) == 0:
		find(data.FaintMask, fmt.Sprintf("after scaling to %d x %d the largest value is %d; %d of its %d anomalous pixels are above 127", j.ImageSize, j.ImageSize, largest(scaled), atFaint, atThreshold))
	}
	if odd := info.Mode != "1" && info.Mode != "L"; odd || values[0]+values[255] < int64(len(mask.Pix)) {
		find(data.NonBinaryMask, info.Format+" "+info.Mode+"; "+describe(values))
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

// describe names the most frequent values: "0: 98.10 %, 255: 1.20 %, and 61 others".
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
		parts = append(parts, fmt.Sprintf("and %d others", more))
	}
	return strings.Join(parts, ", ")
}
