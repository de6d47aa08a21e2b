package jpeg

import (
	"bytes"
	"errors"
	"image/color"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"acdclip/pkg/data/pixels/picture/unsupported"
)

// fixtures returns the JPEGs of the parent package, whose tests compare all pixels with Pillow's.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for _, folder := range []string{"pictures", "odd", "refused"} {
		paths, _ := filepath.Glob(filepath.Join("../testdata", folder, "*.jpg"))
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found[filepath.Base(path)] = b
		}
	}
	if len(found) < 100 {
		t.Fatalf("only %d JPEGs", len(found))
	}
	return found
}

func decoded(t *testing.T, b []byte, o Options) (*Picture, []uint8) {
	t.Helper()
	p, err := Decode(b, o)
	if err != nil {
		t.Fatal(err)
	}
	pixels := make([]uint8, p.Width*p.Height*p.Channels)
	p.Pixels(pixels)
	return p, pixels
}

// TestConfig: DecodeConfig returns the decoded picture's size.
func TestConfig(t *testing.T) {
	for name, b := range fixtures(t) {
		p, err := Decode(b, Options{})
		if err != nil {
			continue
		}
		c, err := DecodeConfig(bytes.NewReader(b))
		if err != nil || c.Width != p.Width || c.Height != p.Height || c.ColorModel != p.ColorModel() {
			t.Errorf("%s: %v, %v; decoded it has %d x %d pixels", name, c, err, p.Width, p.Height)
		}
	}
}

// split separates the tables from a JPEG, as in a TIFF.
func split(t *testing.T, b []byte) (tables, picture []byte) {
	t.Helper()
	tables, picture = []byte{0xff, markerSOI}, []byte{0xff, markerSOI}
	at := 2
	for {
		marker, next, err := nextMarker(b, at)
		if err != nil {
			t.Fatal(err)
		}
		if marker == markerSOS {
			return append(tables, 0xff, markerEOI), append(picture, b[at:]...)
		}
		body, err := bodyAt(b, next)
		if err != nil {
			t.Fatal(err)
		}
		segment := b[at : next+2+len(body)]
		at += len(segment)
		if marker == markerDQT || marker == markerDHT {
			tables = append(tables, segment...)
		} else {
			picture = append(picture, segment...)
		}
	}
}

func TestTables(t *testing.T) {
	for _, name := range []string{"rgb420_32x16.jpg", "grey.jpg", "cmyk.jpg", "restarts.jpg"} {
		b := fixtures(t)[name]
		_, want := decoded(t, b, Options{})
		tables, picture := split(t, b)
		if _, got := decoded(t, picture, Options{Tables: tables}); !bytes.Equal(got, want) {
			t.Errorf("%s: with its tables apart it has other pixels", name)
		}
		if _, err := Decode(picture, Options{}); err == nil {
			t.Errorf("%s: decodes without its tables", name)
		}
		if _, err := Decode(picture, Options{Tables: b}); err == nil {
			t.Errorf("%s: a picture is taken for tables", name)
		}
		if _, err := Decode(picture, Options{Tables: b[:bytes.Index(b, []byte{0xff, markerSOS})]}); err == nil {
			t.Errorf("%s: a frame's header is taken for tables", name)
		}
	}
}

// TestColor: Options.Color overrides the file, and Stored components are not converted.
func TestColor(t *testing.T) {
	all := fixtures(t)
	stored, ycbcr := Options{Color: Stored}, Options{Color: YCbCr}
	_, rgb := decoded(t, all["stored_rgb.jpg"], Options{})
	if _, got := decoded(t, all["stored_rgb.jpg"], stored); !bytes.Equal(got, rgb) {
		t.Error("stored RGB is changed")
	}
	if _, got := decoded(t, all["stored_rgb.jpg"], ycbcr); bytes.Equal(got, rgb) {
		t.Error("RGB that is said to be YCbCr is not converted")
	}
	_, want := decoded(t, all["rgb444_32x16.jpg"], Options{})
	p, components := decoded(t, all["rgb444_32x16.jpg"], stored)
	converted := make([]uint8, 3*p.Width)
	planes := make([][]uint8, 3)
	for c := range planes {
		for x := range p.Width {
			planes[c] = append(planes[c], components[3*x+c])
		}
	}
	ycbcrToRGB(converted, planes)
	if !bytes.Equal(converted, want[:len(converted)]) {
		t.Error("stored components are not those that are converted")
	}
	if p, _ := decoded(t, all["ycck.jpg"], Options{}); p.Channels != 4 {
		t.Errorf("%d channels of inks", p.Channels)
	}
}

// TestAt: At returns the same values as Pixels.
func TestAt(t *testing.T) {
	for _, name := range []string{"grey.jpg", "rgb420_32x16.jpg", "cmyk.jpg"} {
		p, pixels := decoded(t, fixtures(t)[name], Options{})
		x, y := p.Width-1, p.Height/2
		v := pixels[(y*p.Width+x)*p.Channels:]
		want := map[int]color.Color{1: color.Gray{Y: v[0]}, 3: color.RGBA{R: v[0], G: v[min(1, len(v)-1)], B: v[min(2, len(v)-1)], A: 255}}[p.Channels]
		if p.Channels == 4 {
			want = color.CMYK{C: v[0], M: v[1], Y: v[2], K: v[3]}
		}
		if got := p.At(x, y); got != want {
			t.Errorf("%s: %v at (%d, %d), want %v", name, got, x, y, want)
		}
		if got := p.At(-1, 0); got != (color.RGBA{}) {
			t.Errorf("%s: %v outside", name, got)
		}
	}
}

// TestCutShort: a stream that ends anywhere within its pixels is an error; with an end
// marker appended it is a picture.
func TestCutShort(t *testing.T) {
	for _, name := range []string{"rgb420_21x17.jpg", "rgb444_32x16.jpg", "restarts.jpg", "scans_restarts.jpg"} {
		b := fixtures(t)[name]
		first := bytes.Index(b, []byte{0xff, markerSOS})
		for end := first + 14; end < len(b)-4; end++ {
			if _, err := Decode(b[:end], Options{}); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s cut to %d of %d bytes: error %v", name, end, len(b), err)
			}
		}
	}
	b := fixtures(t)["rgb444_32x16.jpg"]
	for end := bytes.Index(b, []byte{0xff, markerSOS}) + 14; end < len(b); end++ {
		if _, err := Decode(append(slices.Clone(b[:end]), 0xff, markerEOI), Options{}); err != nil {
			t.Errorf("cut to %d of %d bytes, with an end: %v", end, len(b), err)
		}
	}
}

// TestManyScans: a malicious file cannot use much time with many scans of a large picture.
func TestManyScans(t *testing.T) {
	const side = 1600
	b := []byte{0xff, markerSOI}
	b = append(b, 0xff, markerDQT, 0, 67, 0)
	b = append(b, bytes.Repeat([]byte{1}, blockSize)...)
	b = append(b, 0xff, markerDHT, 0, 20, 0x00, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, 0xff, markerSOF2, 0, 11, 8, side>>8, side&255, side>>8, side&255, 1, 1, 0x11, 0)
	for range 2 * maxVisits {
		b = append(b, 0xff, markerSOS, 0, 8, 1, 1, 0, 0, 0, 0)
	}
	b = append(b, 0xff, markerEOI)
	if _, err := Decode(b, Options{}); err == nil {
		t.Error("a picture of more blocks than bits is decoded")
	}
	b = append(b, make([]byte, side*side/blockSize)...)
	_, err := Decode(b, Options{})
	if !errors.Is(err, unsupported.Err) {
		t.Errorf("error %v, want that so many scans are not supported", err)
	}
}

func TestMaxPixels(t *testing.T) {
	b := fixtures(t)["rgb420_32x16.jpg"]
	if _, err := Decode(b, Options{MaxPixels: 32 * 16}); err != nil {
		t.Error(err)
	}
	if _, err := Decode(b, Options{MaxPixels: 32*16 - 1}); err == nil {
		t.Error("a picture beyond the limit is decoded")
	}
}

// TestSegments: Segments yields the segments before the pixels, and stops there.
func TestSegments(t *testing.T) {
	b := fixtures(t)["jfif_then_jfxx.jpg"]
	var markers []byte
	for marker, body := range Segments(b) {
		if marker == markerAPP0 && !bytes.HasPrefix(body, []byte("JF")) {
			t.Errorf("APP0 begins with %q", body[:4])
		}
		markers = append(markers, marker)
	}
	if want := []byte{markerAPP0, markerAPP0, markerDQT, markerDQT, markerSOF0}; !bytes.HasPrefix(markers, want) || slices.Contains(markers, markerSOS) {
		t.Errorf("segments %x, want %x first and no scan", markers, want)
	}
	for range Segments([]byte{0xff, markerSOI, 0xff}) {
		t.Error("a segment of nothing")
	}
}

// FuzzDecode: no content may panic, take long, or give a size other than the header's.
func FuzzDecode(f *testing.F) {
	for _, b := range fixtures(f) {
		f.Add(b, []byte(nil))
	}
	f.Fuzz(func(t *testing.T, b, tables []byte) {
		const limit = 1 << 16
		before := slices.Clone(b)
		o := Options{MaxPixels: limit}
		if len(tables) > 0 {
			o.Tables = tables
		}
		p, err := Decode(b, o)
		if !bytes.Equal(b, before) {
			t.Fatal("the content was changed")
		}
		if err != nil {
			return
		}
		c, err := DecodeConfig(bytes.NewReader(b))
		if err != nil || c.Width != p.Width || c.Height != p.Height {
			t.Fatalf("%d x %d pixels; the header alone says %v, %v", p.Width, p.Height, c, err)
		}
		p.Pixels(make([]uint8, p.Width*p.Height*p.Channels))
	})
}
