package anomalymap

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"
)

// tiffFields are the fields of one page, all of type LONG.
type tiffFields map[tiffTag][]uint32

// plainTIFF returns the fields of a map of 4 x 3 32-bit floats in strips of two rows.
func plainTIFF() tiffFields {
	return tiffFields{
		tiffWidth: {3}, tiffHeight: {4}, tiffBits: {32}, tiffCompression: {1}, tiffPhotometric: {1}, tiffSamples: {1}, tiffSampleFormat: {3},
		tiffStripRows: {2}, tiffStripOffsets: {8, 32}, tiffStripBytes: {24, 24},
	}
}

// file returns a TIFF with data at byte 8, then the values of long fields, then the directory.
func (f tiffFields) file(data string) []byte {
	b := append([]byte("II*\x00\x00\x00\x00\x00"), data...)
	le := binary.LittleEndian
	directory := le.AppendUint16(nil, uint16(len(f)))
	for _, tag := range slices.Sorted(maps.Keys(f)) {
		directory = le.AppendUint16(le.AppendUint16(directory, uint16(tag)), 4)
		directory = le.AppendUint32(directory, uint32(len(f[tag])))
		values := []byte{}
		for _, v := range f[tag] {
			values = le.AppendUint32(values, v)
		}
		if len(values) > 4 {
			directory = le.AppendUint32(directory, uint32(len(b)))
			b = append(b, values...)
		} else {
			directory = append(directory, append(values, 0, 0, 0, 0)[:4]...)
		}
	}
	start := uint32(len(b))
	le.PutUint32(b[4:], start)
	return le.AppendUint32(append(b, directory...), 0) // no further page
}

// with returns the fields with some changed; changed fields without values are removed.
func (f tiffFields) with(changed tiffFields) tiffFields {
	f = maps.Clone(f)
	maps.Copy(f, changed)
	maps.DeleteFunc(f, func(_ tiffTag, values []uint32) bool { return values == nil })
	return f
}

// floats is the bytes of 12 floats.
const floats = "0123456789abcdef0123456789ABCDEF0123456789[]{}()"

// TestPlainTIFF: the file that the other tests damage is valid.
func TestPlainTIFF(t *testing.T) {
	want, err := decode(plainTIFF().file(floats))
	if err != nil || want.Width != 3 || want.Height != 4 {
		t.Fatal(want, err)
	}
	for name, f := range map[string]tiffFields{
		"nothing but what is needed": {tiffSamples: nil, tiffCompression: nil, tiffPhotometric: nil},
		"all rows in one strip":      {tiffStripRows: {1<<32 - 1}, tiffStripOffsets: {8}, tiffStripBytes: {48}},
		"no rows per strip":          {tiffStripRows: nil, tiffStripOffsets: {8}, tiffStripBytes: {48}},
		"a short last strip":         {tiffStripRows: {3}, tiffStripOffsets: {8, 44}, tiffStripBytes: {36, 12}},
		"strips with padding":        {tiffStripBytes: {99, 1 << 31}},
		"a tile":                     {tiffTileWidth: {3}, tiffTileHeight: {4}, tiffTileOffsets: {8}, tiffTileBytes: {48}},
		"rows of tiles":              {tiffTileWidth: {3}, tiffTileHeight: {1}, tiffTileOffsets: {8, 20, 32, 44}, tiffTileBytes: {12, 12, 12, 12}},
		"a field nobody knows":       {999: {1, 2, 3}},
	} {
		got, err := decode(plainTIFF().with(f).file(floats))
		if err != nil || !same(got, want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	several := plainTIFF().file(floats)
	copy(several[len(several)-4:], several[4:8]) // a second page, which is the first
	if _, err := decode(several); err == nil || !strings.Contains(err.Error(), "several pages") {
		t.Errorf("two pages: %v", err)
	}
	if got, err := decode(several[:len(several)-4]); err != nil || !same(got, want) {
		t.Errorf("no word of a further page: %v, %v", got, err)
	}
	swapped, err := decode(plainTIFF().with(tiffFields{tiffStripOffsets: {32, 8}}).file(floats))
	if err != nil || !slices.Equal(bitsOf(swapped.Scores), slices.Concat(bitsOf(want.Scores[6:]), bitsOf(want.Scores[:6]))) {
		t.Errorf("the strips in another order: %v, %v", swapped, err)
	}
}

func TestHostileTIFFs(t *testing.T) {
	const all = 1<<32 - 1
	tile := tiffFields{tiffTileWidth: {2}, tiffTileHeight: {2}, tiffTileOffsets: {8, 24, 40, 8}, tiffTileBytes: {16, 16, 16, 16}}
	for name, test := range map[string]struct {
		changed tiffFields
		says    string
	}{
		"huge":                        {tiffFields{tiffWidth: {all}, tiffHeight: {all}}, "too large"},
		"more than the file":          {tiffFields{tiffWidth: {10000}, tiffHeight: {10000}}, "it declares a map of height 10000 and width 10000"},
		"no width":                    {tiffFields{tiffWidth: {0}}, "at least 1"},
		"no height":                   {tiffFields{tiffHeight: {0}}, "at least 1"},
		"width missing":               {tiffFields{tiffWidth: nil}, "missing ImageWidth"},
		"height missing":              {tiffFields{tiffHeight: nil}, "missing ImageLength"},
		"two widths":                  {tiffFields{tiffWidth: {3, 3}}, "ImageWidth has 2 values"},
		"width without values":        {tiffFields{tiffWidth: {}}, "ImageWidth has 0 values"},
		"bits missing":                {tiffFields{tiffBits: nil}, "1-bit samples"},
		"format missing":              {tiffFields{tiffSampleFormat: nil}, "32-bit samples of format 1"},
		"rows per strip 0":            {tiffFields{tiffStripRows: {0}}, "strips have no rows"},
		"offsets missing":             {tiffFields{tiffStripOffsets: nil}, "missing StripOffsets"},
		"byte counts missing":         {tiffFields{tiffStripBytes: nil}, "missing StripByteCounts"},
		"one strip too few":           {tiffFields{tiffStripOffsets: {8}}, "StripOffsets has 1 values, expected 2"},
		"one strip too many":          {tiffFields{tiffStripOffsets: {8, 32, 56}}, "StripOffsets has 3 values, expected 2"},
		"a byte count too many":       {tiffFields{tiffStripBytes: {24, 24, 24}}, "StripByteCounts has 3 values, expected 2"},
		"short strip":                 {tiffFields{tiffStripBytes: {24, 23}}, "segment 1 is at byte 32 with 23 bytes"},
		"strip not there":             {tiffFields{tiffStripOffsets: {0, 32}, tiffStripBytes: {0, 24}}, "segment 0 is at byte 0 with 0 bytes"},
		"strip behind the file":       {tiffFields{tiffStripOffsets: {8, all}}, "segment 1 is at byte 4294967295"},
		"strip over the end":          {tiffFields{tiffStripOffsets: {8, 200}}, "segment 1 is at byte 200"},
		"same strip twice":            {tiffFields{tiffStripOffsets: {8, 8}}, "overlap"},
		"overlapping strips":          {tiffFields{tiffStripOffsets: {31, 8}}, "bytes 8 and 31 overlap"},
		"fill order":                  {tiffFields{tiffFillOrder: {2}}, "fill order 2"},
		"deflate":                     {tiffFields{tiffCompression: {32946}}, "scheme 32946"},
		"overlapping tiles":           {tile, "TileOffsets, the segments at bytes 8 and 8 overlap"},
		"no tile width":               {tile.with(tiffFields{tiffTileWidth: nil}), "missing TileWidth"},
		"no tile height":              {tile.with(tiffFields{tiffTileHeight: nil}), "missing TileLength"},
		"tile width 0":                {tile.with(tiffFields{tiffTileWidth: {0}}), "height 2 and width 0"},
		"tile height 0":               {tile.with(tiffFields{tiffTileHeight: {0}}), "height 0 and width 2"},
		"huge tile":                   {tile.with(tiffFields{tiffTileWidth: {all}, tiffTileHeight: {all}}), "1 tiles of height 4294967295"},
		"large tile":                  {tile.with(tiffFields{tiffTileWidth: {1 << 14}, tiffTileHeight: {1 << 14}}), "1 tiles of height 16384"},
		"tiles of a map that is huge": {tile.with(tiffFields{tiffWidth: {10000}, tiffHeight: {10000}, tiffTileWidth: {1}, tiffTileHeight: {1}}), "100000000 tiles"},
		"tile counts missing":         {tile.with(tiffFields{tiffTileBytes: nil}), "missing TileByteCounts"},
		"tile over the end":           {tile.with(tiffFields{tiffTileOffsets: {8, 24, 40, 5000}}), "segment 3 is at byte 5000"},
	} {
		f := plainTIFF().with(test.changed)
		for tag := range test.changed { // nil: with has already removed it from a tile's fields
			if test.changed[tag] == nil {
				delete(f, tag)
			}
		}
		mustRefuse(t, name, f.file(floats), test.says)
	}
}

func TestHostileTIFFDirectories(t *testing.T) {
	le := binary.LittleEndian
	sound := plainTIFF().file(floats)
	directory := le.Uint32(sound[4:])
	changed := func(at uint32, b ...byte) []byte {
		return slices.Concat(sound[:at], b, sound[int(at)+len(b):])
	}
	mustRefuse(t, "magic alone", []byte("II*\x00"), "8 bytes at byte 0")
	mustRefuse(t, "directory behind the file", changed(4, 0xff, 0xff, 0xff, 0xff), "at byte 4294967295")
	mustRefuse(t, "directory at the last byte", changed(4, le.AppendUint32(nil, uint32(len(sound)-1))...), "2 bytes at byte")
	mustRefuse(t, "too many fields", changed(directory, 0xff, 0xff), "786420 bytes")
	mustRefuse(t, "directory in the header", changed(4, 0, 0, 0, 0), "damaged")
	mustRefuse(t, "a field twice", changed(directory+2+12, le.AppendUint16(nil, uint16(tiffWidth))...), "duplicate ImageWidth")
	mustRefuse(t, "an unknown field twice", changed(directory+2, 1, 0, 4, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0), "duplicate tag 1")
	mustRefuse(t, "a width of text", changed(directory+4, 2), "ImageWidth has the type 2")
	offsets := directory + 2 + 12*5 // after width, height, bits, compression and photometric
	mustRefuse(t, "offsets behind the file", changed(offsets+8, 0xff, 0xff, 0xff, 0xff), "8 bytes at byte 4294967295")
	mustRefuse(t, "billions of offsets", changed(offsets+4, 0xff, 0xff, 0xff, 0xff), "4294967295 values, expected 2")
}

// TestManyStrips: the file is checked to contain the declared number of offsets before they are read.
func TestManyStrips(t *testing.T) {
	f := plainTIFF().with(tiffFields{
		tiffWidth: {1}, tiffHeight: {100_000}, tiffStripRows: {1}, tiffBits: {8}, tiffSampleFormat: {1},
	})
	b := f.file(string(make([]byte, 100_000)))
	directory := binary.LittleEndian.Uint32(b[4:])
	binary.LittleEndian.PutUint32(b[directory+2+12*5+4:], 100_000)
	mustRefuse(t, "more offsets than bytes", b, "400000 bytes at byte")
}
