package tiff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/data/pixels/picture/unsupported"
)

// fields are the values of a directory, all of type LONG.
type fields map[tag][]uint32

// plainFields returns the fields of a grey picture of 4 x 3 pixels in strips of two rows.
func plainFields() fields {
	return fields{
		imageWidth: {4}, imageLength: {3}, bitsPerSample: {8}, photometricTag: {1},
		rowsPerStrip: {2}, stripOffsets: {8, 16}, stripByteCounts: {8, 4},
	}
}

// with returns the fields with some changed; changed fields without values are removed.
func (f fields) with(changed fields) fields {
	f = maps.Clone(f)
	maps.Copy(f, changed)
	maps.DeleteFunc(f, func(_ tag, values []uint32) bool { return values == nil })
	return f
}

// file returns a TIFF with data at byte 8, then the values of long fields, then the directory.
func (f fields) file(data string) []byte {
	le := binary.LittleEndian
	b := append([]byte("II*\x00\x00\x00\x00\x00"), data...)
	directory := le.AppendUint16(nil, uint16(len(f)))
	for _, t := range slices.Sorted(maps.Keys(f)) {
		values := []byte{}
		for _, v := range f[t] {
			values = le.AppendUint32(values, v)
		}
		directory = le.AppendUint16(le.AppendUint16(directory, uint16(t)), kindLong)
		directory = le.AppendUint32(directory, uint32(len(f[t])))
		if len(values) > 4 {
			directory = le.AppendUint32(directory, uint32(len(b)))
			b = append(b, values...)
		} else {
			directory = append(directory, append(values, 0, 0, 0, 0)[:4]...)
		}
	}
	le.PutUint32(b[4:], uint32(len(b)))
	return append(b, directory...)
}

// twelve is the bytes of the plain picture.
const twelve = "0123456789ab"

// fakeJPEG returns a picture with the number of components in the stream's first byte.
func fakeJPEG(stream []byte, most image.Point, _ bool) ([]uint8, image.Point, int, error) {
	if len(stream) == 0 {
		return nil, most, 0, io.ErrUnexpectedEOF
	}
	n := int(stream[0])%4 + 1
	return make([]uint8, most.X*most.Y*n), most, n, nil
}

func decode(b []byte) (image.Image, error) {
	c, err := DecodeConfig(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	if c.Width > 1<<16 || c.Height > 1<<16/max(c.Width, 1) {
		return nil, errors.New("too large for a test")
	}
	return Decode(b, fakeJPEG)
}

func TestPlain(t *testing.T) {
	for name, changed := range map[string]fields{
		"as it is":                {},
		"all rows in one strip":   {rowsPerStrip: {1<<32 - 1}, stripOffsets: {8}, stripByteCounts: {12}},
		"no rows per strip":       {rowsPerStrip: nil, stripOffsets: {8}, stripByteCounts: {12}},
		"rows per strip 0":        {rowsPerStrip: {0}, stripOffsets: {8}, stripByteCounts: {12}},
		"no byte counts":          {stripByteCounts: nil},
		"more strips than rows":   {stripOffsets: {8, 16, 1 << 31}, stripByteCounts: {8, 4, 9}},
		"byte counts of nonsense": {stripByteCounts: {0, 1 << 31}},
		"a tile":                  {stripOffsets: nil, tileWidth: {4}, tileLength: {3}, tileOffsets: {8}, tileByteCounts: {12}},
		"a field nobody knows":    {999: {1, 2, 3}},
	} {
		m, err := decode(plainFields().with(changed).file(twelve))
		grey, ok := m.(*image.Gray)
		if err != nil || !ok || string(grey.Pix) != twelve || grey.Rect != image.Rect(0, 0, 4, 3) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

// TestPixels covers formats that Pillow does not read but that are unambiguous.
func TestPixels(t *testing.T) {
	one := fields{imageWidth: {1}, imageLength: {1}, rowsPerStrip: nil, stripOffsets: {8}, stripByteCounts: {12}}
	for name, test := range map[string]struct {
		changed fields
		data    string
		want    []uint8
	}{
		"grey with alpha that it was multiplied by":   {fields{samplesPerPixel: {2}, extraSamples: {1}}, "\x40\x80", []uint8{127}},
		"alpha of nothing":                            {fields{samplesPerPixel: {2}, extraSamples: {1}}, "\x40\x00", []uint8{0}},
		"ink over paper":                              {fields{photometricTag: {5}, samplesPerPixel: {4}}, "\xff\x00\x80\x00", []uint8{0, 255, 127, 255}},
		"ink multiplied by alpha is left as it is":    {fields{photometricTag: {5}, samplesPerPixel: {5}, extraSamples: {1}}, "\xff\x00\x80\x00\x80", []uint8{0, 255, 127, 255}},
		"RGB brighter than its alpha":                 {fields{photometricTag: {2}, samplesPerPixel: {4}, extraSamples: {1}}, "\xff\x10\x00\x20", []uint8{255, 127, 0, 255}},
		"16-bit grey with alpha it was multiplied by": {fields{samplesPerPixel: {2}, bitsPerSample: {16}, extraSamples: {1}}, "\x00\x40\x00\x80", []uint8{0x7f, 0xff}},
	} {
		m, err := decode(plainFields().with(one).with(test.changed).file(test.data + "????????????"))
		var got []uint8
		switch m := m.(type) {
		case *image.Gray:
			got = m.Pix
		case *image.Gray16:
			got = m.Pix
		case *image.NRGBA:
			got = m.Pix
		}
		if err != nil || !bytes.Equal(got, test.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, test.want)
		}
	}
}

func TestHostile(t *testing.T) {
	const all = 1<<32 - 1
	tile := fields{stripOffsets: nil, tileWidth: {16}, tileLength: {16}, tileOffsets: {8}, tileByteCounts: {12}}
	for name, test := range map[string]struct {
		changed fields
		says    string
	}{
		"no size":                    {fields{imageWidth: nil}, "missing ImageWidth"},
		"no width":                   {fields{imageWidth: {0}}, "0 x 3 pixels"},
		"no strips":                  {fields{stripOffsets: nil}, "missing StripOffsets"},
		"one strip too few":          {fields{stripOffsets: {8}}, "StripOffsets has 1 values, expected 2 for its size"},
		"strip behind the file":      {fields{stripOffsets: {8, all}}, "strip or tile 1, at byte 4294967295"},
		"strip over the end":         {fields{stripOffsets: {8, 150}}, "strip or tile 1, at byte 150"},
		"no samples":                 {fields{samplesPerPixel: {0}}, "0 samples"},
		"many samples":               {fields{samplesPerPixel: {all}}, "4294967295 samples"},
		"RGB of one sample":          {fields{photometricTag: {2}}, "1 samples"},
		"no palette":                 {fields{photometricTag: {3}}, "missing ColorMap"},
		"short lengths":              {fields{compressionTag: {5}, stripByteCounts: {8}}, "StripByteCounts has 1 values"},
		"length beyond the file":     {fields{compressionTag: {5}, stripByteCounts: {8, all}}, "StripByteCounts has 4294967295 bytes"},
		"LZW of nothing":             {fields{compressionTag: {5}, stripByteCounts: {0, 0}}, "unexpected EOF"},
		"no deflate":                 {fields{compressionTag: {8}}, "invalid header"},
		"PackBits that ends":         {fields{compressionTag: {32773}}, "unexpected EOF"},
		"fax of many bits":           {fields{compressionTag: {4}}, "not supported"},
		"fax of nonsense":            {fields{compressionTag: {4}, bitsPerSample: {1}}, "row 0"},
		"JPEG of other components":   {fields{compressionTag: {7}, samplesPerPixel: {2}}, "1 components, expected 2"},
		"no tile size":               {tile.with(fields{tileWidth: nil}), "missing TileWidth"},
		"tile of no width":           {tile.with(fields{tileWidth: {0}}), "0 x 16"},
		"huge tile":                  {tile.with(fields{tileWidth: {all}}), "4294967295 x 16"},
		"tile far beyond":            {tile.with(fields{tileWidth: {1 << 30}}), "for a picture of 12"},
		"JPEG tile far beyond":       {tile.with(fields{compressionTag: {7}, tileWidth: {1 << 14}, tileLength: {1 << 14}}), "for a picture of 12"},
		"billions of tiles":          {tile.with(fields{imageWidth: {1 << 15}, imageLength: {2}, tileWidth: {1}, tileLength: {1}}), "expected 65536 for its size"},
		"YCbCr units of three":       {fields{photometricTag: {6}, samplesPerPixel: {3}, yccSubsampling: {3, 1}}, "YCbCrSubSampling is [3 1]"},
		"YCbCr without green":        {fields{photometricTag: {6}, samplesPerPixel: {3}, yccCoefficients: {1, 0, 0}}, "green no weight"},
		"YCbCr of too few levels":    {fields{photometricTag: {6}, samplesPerPixel: {3}, blackWhite: {1, 0, 0}}, "ReferenceBlackWhite has 3"},
		"samples of different depth": {fields{photometricTag: {2}, samplesPerPixel: {3}, bitsPerSample: {5, 6, 5}}, "bits [5 6 5]"},
	} {
		f := plainFields().with(test.changed)
		for t, values := range test.changed { // nil: with has already removed it from a tile's fields
			if values == nil {
				delete(f, t)
			}
		}
		if _, ok := test.changed[tileOffsets]; ok {
			delete(f, stripOffsets)
		}
		if m, err := decode(f.file(twelve)); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, error %v; want one that says %q", name, m, err, test.says)
		}
	}
}

func TestHostileDirectories(t *testing.T) {
	le := binary.LittleEndian
	sound := plainFields().file(twelve)
	directory := le.Uint32(sound[4:])
	changed := func(at uint32, b ...byte) []byte {
		return slices.Concat(sound[:at], b, sound[int(at)+len(b):])
	}
	for name, test := range map[string]struct {
		content []byte
		says    string
	}{
		"magic alone":              {[]byte("II*\x00"), "reading 8 bytes at byte 0 of 4"},
		"directory behind the end": {changed(4, 0xff, 0xff, 0xff, 0xff), "its first directory: unexpected EOF"},
		"directory at the end":     {changed(4, le.AppendUint32(nil, uint32(len(sound)-1))...), "reading 2 bytes"},
		"directory in the header":  {changed(4, 0, 0, 0, 0), "its first directory: unexpected EOF"},
		"too many fields":          {changed(directory, 0xff, 0xff), "reading 786420 bytes"},
		"a width of text":          {changed(directory+4, 2), "missing ImageWidth"},
		"a width that is negative": {changed(directory+4, kindSignedLong, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff), "not a non-negative integer"},
		"a width that is real":     {changed(directory+4, kindFloat), "not a non-negative integer"},
		"offsets behind the file":  {changed(directory+2+12*4+8, 0xff, 0xff, 0xff, 0xff), "its StripOffsets: unexpected EOF"},
		"BigTIFF cut short":        {[]byte("II+\x00\x08\x00\x00\x00"), "reading 8 bytes at byte 8"},
		"BigTIFF of many fields":   {append([]byte("II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00"), "\xff\xff\xff\xff\xff\xff\xff\xff"...), "invalid number of fields: 18446744073709551615"},
		"BigTIFF far away":         {[]byte("II+\x00\x08\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"), "unexpected EOF"},
	} {
		if m, err := decode(test.content); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, error %v; want one that says %q", name, m, err, test.says)
		}
	}
	if _, err := decode(changed(directory+2+12*4+4, 0xff, 0xff, 0xff, 0x7f)); err != nil {
		t.Errorf("more offsets than are needed: %v", err)
	}
}

// TestSharedBytes: the time for segments that share bytes is limited by the file's size.
func TestSharedBytes(t *testing.T) {
	const strips = 1 << 12
	f := plainFields().with(fields{imageWidth: {1}, imageLength: {strips}, rowsPerStrip: {1}, compressionTag: {5}})
	data := strings.Repeat("\x80\x00", 1<<16) // LZW clear codes only
	offsets, lengths := make([]uint32, strips), make([]uint32, strips)
	for i := range offsets {
		offsets[i], lengths[i] = 8, uint32(len(data))
	}
	_, err := decode(f.with(fields{stripOffsets: offsets, stripByteCounts: lengths}).file(data))
	if err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("error %v", err)
	}
}

// TestFaxCodes: every run has a code, and no two codes are equal.
func TestFaxCodes(t *testing.T) {
	for name, table := range map[string]*[1 << faxCodeBits]faxCode{"white": &faxTables().white, "black": &faxTables().black} {
		room := map[int16]int{}
		for _, code := range table {
			if code.bits > 0 {
				room[code.run]++
			}
		}
		for run := int16(0); run <= 2560; run++ {
			if wanted := run < 64 || run%64 == 0; wanted != (room[run] > 0) {
				t.Errorf("%s run of %d: %d values", name, run, room[run])
			}
		}
		for value, code := range table {
			if code.bits > 0 && room[code.run] != 1<<(faxCodeBits-code.bits) {
				t.Fatalf("%s run of %d at %013b: %d values for a code of %d bits", name, code.run, value, room[code.run], code.bits)
			}
		}
	}
}

// FuzzDecode: any bytes give an error or a picture of the declared size, without a panic
// and with memory limited by that size and the file's.
func FuzzDecode(f *testing.F) {
	paths, _ := filepath.Glob("../testdata/[tf]*/*.tif") // tiff and float
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(plainFields().file(twelve))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		c, err := DecodeConfig(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, unsupported.Err) && !strings.Contains(err.Error(), "damaged") {
				t.Errorf("neither damaged nor not supported: %v", err)
			}
			return
		}
		if c.Width > 1<<16 || c.Height > 1<<16/max(c.Width, 1) {
			return
		}
		before := allocated()
		m, err := Decode(b, fakeJPEG)
		if grown := allocated() - before; grown > 200<<20+64*uint64(len(b)) {
			t.Fatalf("%d bytes were allocated for %d", grown, len(b))
		}
		if err == nil && m.Bounds() != image.Rect(0, 0, c.Width, c.Height) {
			t.Errorf("%v, promised %d x %d", m.Bounds(), c.Width, c.Height)
		}
	})
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
