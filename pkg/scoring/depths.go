package scoring

import (
	"fmt"
	"math"
	"math/bits"

	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
)

// Depths counts the pictures of 16 bits per channel whose values suggest another number of
// bits than they are read with.
type Depths struct {
	Bits int // of picture.DecodeOptions

	all, odd int    // pictures of 16 bits, and those that suggest another number
	first    string // path of the first of the latter in the order of the items
	index    int    // its index there
	largest  uint16 // their largest value
}

// Add counts a picture that was read.
func (d *Depths) Add(p pixels.Picture) {
	if p.Reading.Largest == 0 { // black, or of another depth
		return
	}
	d.all++
	if !d.suggestsOther(p.Reading) {
		return
	}
	if d.odd == 0 || p.Index < d.index {
		d.first, d.index = p.Item.Path, p.Index
	}
	d.odd++
	d.largest = max(d.largest, p.Reading.Largest)
}

func (d *Depths) suggestsOther(r picture.Reading) bool {
	if d.Bits == 0 {
		return r.Dim()
	}
	return int(r.Largest) >= 1<<d.Bits
}

// Text says what is wrong and what to set, "" if nothing is. named returns the name of the
// picture at a path.
func (d *Depths) Text(named func(path string) string) string {
	if d.odd == 0 {
		return ""
	}
	have, are := "have", "are"
	if d.odd == 1 {
		have, are = "has", "is"
	}
	text := fmt.Sprintf("%d of %d pictures with 16 bits per channel %s ", d.odd, d.all, have)
	if d.Bits > 0 {
		return text + fmt.Sprintf("values above %d, up to %d, which are read as white because data.depth is %d; the first is %s", 1<<d.Bits-1, d.largest, d.Bits, named(d.first))
	}
	return text + fmt.Sprintf("no value above %d of %d and %s read as almost black; the first is %s; for a camera of %d bits, give --set data.depth=%[5]d",
		d.largest, math.MaxUint16, are, named(d.first), usualBits(d.largest))
}

// usualBits returns the smallest usual number of bits of cameras that holds v.
func usualBits(v uint16) int {
	for _, n := range []int{8, 10, 12, 14} {
		if bits.Len16(v) <= n {
			return n
		}
	}
	return 16
}
