package scoring

import (
	"path/filepath"
	"testing"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
)

// TestDepths: dim pictures, or those with values above the given bits, are counted, and the
// first in the order of the items is named.
func TestDepths(t *testing.T) {
	const many, one, dim = " pictures with 16 bits per channel have ", " pictures with 16 bits per channel has ", " read as almost black; the first is "
	for _, c := range []struct {
		bits    int
		largest []uint16 // by index, added in reverse order
		want    string
	}{
		{0, nil, ""},
		{0, []uint16{0, 16384, 65535}, ""},
		{0, []uint16{0, 4095, 3}, "2 of 2" + many + "no value above 4095 of 65535 and are" + dim + "b.png; for a camera of 12 bits, give --set data.depth=12"},
		{0, []uint16{60000, 16384, 16383}, "1 of 3" + one + "no value above 16383 of 65535 and is" + dim + "c.png; for a camera of 14 bits, give --set data.depth=14"},
		{0, []uint16{200}, "1 of 1" + one + "no value above 200 of 65535 and is" + dim + "a.png; for a camera of 8 bits, give --set data.depth=8"},
		{0, []uint16{257}, "1 of 1" + one + "no value above 257 of 65535 and is" + dim + "a.png; for a camera of 10 bits, give --set data.depth=10"},
		{12, []uint16{4095, 9}, ""},
		{12, []uint16{4095, 4096, 9000}, "2 of 3" + many + "values above 4095, up to 9000, which are read as white because data.depth is 12; the first is b.png"},
		{16, []uint16{65535, 9}, ""},
	} {
		d := Depths{Bits: c.bits}
		for i := len(c.largest) - 1; i >= 0; i-- {
			d.Add(pixels.Picture{Index: i, Item: data.Item{Path: "/p/" + string(rune('a'+i)) + ".png"}, Reading: picture.Reading{Largest: c.largest[i]}})
		}
		if got := d.Text(filepath.Base); got != c.want {
			t.Errorf("%d bits, %v: %q, want %q", c.bits, c.largest, got, c.want)
		}
	}
}
