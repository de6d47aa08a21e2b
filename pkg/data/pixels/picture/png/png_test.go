package png

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	standard "image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// photo draws a picture that compresses about as well as a photo; all channels are random in
// the lowest bits.
func photo(width, height int) *image.NRGBA {
	random := rand.New(rand.NewPCG(1, 2))
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			grain := func() int { return int(random.NormFloat64() * 4) }
			copy(m.Pix[m.PixOffset(x, y):], []uint8{uint8(x/4 + grain()), uint8(y/4 + grain()), uint8((x+y)/8 + grain()), uint8(200 + grain())})
		}
	}
	return m
}

// kinds returns the photo in each kind that Decode reads.
func kinds(width, height int) map[string]image.Image {
	rgba := photo(width, height)
	grey := image.NewGray(rgba.Rect)
	rgb := image.NewRGBA(rgba.Rect)
	for i := range grey.Pix {
		grey.Pix[i] = rgba.Pix[4*i]
		copy(rgb.Pix[4*i:], rgba.Pix[4*i:4*i+3])
		rgb.Pix[4*i+3] = 255
	}
	return map[string]image.Image{"grey": grey, "RGB": rgb, "RGBA": rgba}
}

func encoded(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := standard.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// same returns an error unless m has the type and the stored values of what image/png decodes.
func same(m, want image.Image) error {
	if m.Bounds() != want.Bounds() {
		return fmt.Errorf("%v, want %v", m.Bounds(), want.Bounds())
	}
	var got, pix []uint8
	switch m := m.(type) {
	case *image.Gray:
		got, pix = m.Pix, want.(*image.Gray).Pix
	case *image.NRGBA:
		got, pix = m.Pix, want.(*image.NRGBA).Pix
	case *RGB:
		for i, v := range want.(*image.RGBA).Pix {
			if i%4 < 3 {
				pix = append(pix, v)
			}
		}
		got = m.Pix
	}
	if !bytes.Equal(got, pix) {
		return fmt.Errorf("other pixels in %d bytes, want %d", len(got), len(pix))
	}
	return nil
}

// TestDecode compares with image/png, for widths from one pixel on and every filter.
func TestDecode(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {1, 9}, {2, 3}, {3, 2}, {7, 5}, {8, 8}, {33, 40}, {300, 200}} {
		for name, m := range kinds(size.X, size.Y) {
			if m, ok := m.(*image.NRGBA); ok && m.Opaque() {
				continue
			}
			b := encoded(t, m)
			for filter := -1; filter <= filterPaeth; filter++ {
				if filter >= 0 {
					b = refiltered(t, m, filter)
				}
				want, err := standard.Decode(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				got := Decode(b)
				if got == nil {
					t.Fatalf("%s, %v, filter %d is not decoded", name, size, filter)
				}
				if err := same(got, want); err != nil {
					t.Errorf("%s, %v, filter %d: %v", name, size, filter, err)
				}
			}
		}
	}
}

// refiltered returns a PNG of m all of whose rows say that they have the filter. Their bytes
// are those of the picture, so that its pixels are others.
func refiltered(t testing.TB, m image.Image, filter int) []byte {
	t.Helper()
	var pix []uint8
	kind, channels := uint8(0), 0
	switch m := m.(type) {
	case *image.Gray:
		pix, kind, channels = m.Pix, colorGrey, 1
	case *image.RGBA: // all four bytes, as if they were of other pixels
		pix, kind, channels = m.Pix, colorRGB, 3
	case *image.NRGBA:
		pix, kind, channels = m.Pix, colorRGBA, 4
	}
	size := m.Bounds().Size()
	var rows []byte
	for y := range size.Y {
		rows = append(append(rows, uint8(filter)), pix[y*channels*size.X:][:channels*size.X]...)
	}
	return file(size, kind, rows, 100)
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// file returns a PNG of these rows, in IDAT chunks of at most part bytes.
func file(size image.Point, kind uint8, rows []byte, part int) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(size.X))
	head = binary.BigEndian.AppendUint32(head, uint32(size.Y))
	b := withChunk([]byte(magic), "IHDR", append(head, 8, kind, 0, 0, 0))
	packed := zipped(rows)
	for len(packed) > part {
		b, packed = withChunk(b, "IDAT", packed[:part]), packed[part:]
	}
	return withChunk(withChunk(b, "IDAT", packed), "IEND", nil)
}

func withChunk(b []byte, name string, body []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	at := len(b)
	b = append(append(b, name...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[at:]))
}

// TestPredicted compares all values with the formula of the standard.
func TestPredicted(t *testing.T) {
	abs := func(v int) int { return max(v, -v) }
	for a := range 256 {
		for b := range 256 {
			for c := range 256 {
				p := a + b - c
				want := c
				if abs(p-a) <= abs(p-b) && abs(p-a) <= abs(p-c) {
					want = a
				} else if abs(p-b) <= abs(p-c) {
					want = b
				}
				if got := predicted(uint8(a), uint8(b), uint8(c)); int(got) != want {
					t.Fatalf("%d, %d, %d: %d, want %d", a, b, c, got, want)
				}
			}
		}
	}
}

// TestLeftToStandard: other kinds and damaged files are not decoded, nor do they need memory
// for pixels that the file cannot have.
func TestLeftToStandard(t *testing.T) {
	good := file(image.Pt(2, 1), colorRGB, []byte{filterNone, 1, 2, 3, 4, 5, 6}, 100)
	if Decode(good) == nil {
		t.Fatal("a good file is not decoded")
	}
	header, data, end := good[:33], good[33:len(good)-12], good[len(good)-12:]
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, b := range map[string][]byte{
		"empty":             nil,
		"no signature":      good[1:],
		"no header":         join([]byte(magic), data, end),
		"cut":               good[:len(good)-1],
		"no end":            join(header, data),
		"end with content":  join(header, data, withChunk(nil, "IEND", []byte{1})),
		"no pixels":         join(header, end),
		"wrong checksum":    join(header, data[:len(data)-1], []byte{^data[len(data)-1]}, end),
		"split pixels":      join(header, data, withChunk(nil, "tEXt", nil), withChunk(nil, "IDAT", nil), end),
		"palette":           join(header, withChunk(nil, "PLTE", []byte{1, 2, 3}), data, end),
		"transparent color": join(header, withChunk(nil, "tRNS", make([]byte, 6)), data, end),
		"two headers":       join(header, header[len(magic):], data, end),
		"unknown filter":    file(image.Pt(2, 1), colorRGB, []byte{filterPaeth + 1, 1, 2, 3, 4, 5, 6}, 100),
		"too few pixels":    file(image.Pt(2, 1), colorRGB, []byte{filterNone, 1, 2, 3, 4, 5}, 100),
		"too many pixels":   file(image.Pt(2, 1), colorRGB, make([]byte, 8), 100),
		"palette type":      file(image.Pt(2, 1), 3, make([]byte, 3), 100),
		"no width":          file(image.Pt(0, 1), colorRGB, make([]byte, 1), 100),
		"huge":              file(image.Pt(1<<31-1, 1), colorRGB, make([]byte, 100), 100),
		"huger":             file(image.Pt(1<<31-1, 1<<31-1), colorRGB, make([]byte, 100), 100),
	} {
		if m := Decode(b); m != nil {
			t.Errorf("%s: it is decoded to %v", name, m)
		}
	}
}

// TestJoined: large data are used only in one piece.
func TestJoined(t *testing.T) {
	large := make([]byte, maxJoined)
	if got := joined([][]byte{large}); len(got) != maxJoined || &got[0] != &large[0] {
		t.Error("one piece is copied")
	}
	if got := joined([][]byte{{1}, {2, 3}}); !bytes.Equal(got, []byte{1, 2, 3}) {
		t.Errorf("joined: %v", got)
	}
	if joined([][]byte{large, {1}}) != nil || joined(nil) != nil {
		t.Error("too much or nothing is joined")
	}
}

// TestRGB: the picture gives its pixels as image.RGBA does.
func TestRGB(t *testing.T) {
	want := kinds(9, 4)["RGB"]
	m := Decode(encoded(t, want)).(*RGB)
	for y := -1; y <= 4; y++ {
		for x := -1; x <= 9; x++ {
			if m.At(x, y) != want.At(x, y) {
				t.Errorf("(%d, %d): %v, want %v", x, y, m.At(x, y), want.At(x, y))
			}
		}
	}
	if m.ColorModel() != color.RGBAModel {
		t.Error("another color model")
	}
}

// FuzzDecode: it decodes only what image/png decodes, to the same pixels.
func FuzzDecode(f *testing.F) {
	for _, m := range kinds(9, 7) {
		f.Add(encoded(f, m))
		f.Add(refiltered(f, m, filterPaeth))
	}
	paths, _ := filepath.Glob("../testdata/*/*.png")
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := Decode(b)
		if m == nil {
			return
		}
		want, err := standard.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("image/png: %v", err)
		}
		if err := same(m, want); err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkDecode compares with image/png.
func BenchmarkDecode(b *testing.B) {
	for name, m := range kinds(1000, 1000) {
		content := encoded(b, m)
		b.Run(name+"/own", func(b *testing.B) {
			for b.Loop() {
				Decode(content)
			}
		})
		b.Run(name+"/standard", func(b *testing.B) {
			for b.Loop() {
				if _, err := standard.Decode(bytes.NewReader(content)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
