package picture

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"acdclip/internal/golden"
)

// fixtures returns supported pictures: common ones, and unusual ones that Pillow also reads.
func fixtures(t testing.TB) []string {
	t.Helper()
	return append(inFolder(t, "testdata/pictures", 70), inFolder(t, "testdata/odd", 200)...)
}

func inFolder(t testing.TB, folder string, least int) []string {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(folder, "*"))
	if len(paths) < least {
		t.Fatalf("only %d pictures in %s", len(paths), folder)
	}
	return paths
}

// TestDecodeAsPillow covers every format, depth and color type, odd sizes, all chroma
// layouts, orientations, and unusual files. Every byte equals Pillow's.
func TestDecodeAsPillow(t *testing.T) {
	want := readPixels(t, "testdata/pictures.safetensors")
	maps.Copy(want, readPixels(t, "testdata/odd.safetensors"))
	for _, path := range fixtures(t) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			im, err := Decode(path, DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, im, want[name+".decoded"])
			if turned, ok := want[name+".turned"]; ok {
				im, err := Decode(path, DecodeOptions{EXIF: true})
				if err != nil {
					t.Fatal(err)
				}
				compare(t, im, turned)
			}
		})
	}
}

func compare(t *testing.T, im *Image, want pixels) {
	t.Helper()
	if want.shape == nil || im.Width != want.shape[1] || im.Height != want.shape[0] {
		t.Fatalf("%d x %d pixels, want shape %v", im.Width, im.Height, want.shape)
	}
	if largest, mean := difference(t, im.Pix, want.data); largest > 0 {
		t.Errorf("largest difference %d, mean %.3f; want the same bytes", largest, mean)
	}
}

func TestGreyJPEGStaysGrey(t *testing.T) {
	im, err := Decode("testdata/pictures/grey.jpg", DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(im.Pix); i += 3 {
		if im.Pix[i] != im.Pix[i+1] || im.Pix[i] != im.Pix[i+2] {
			t.Fatalf("pixel %d is %v", i/3, im.Pix[i:i+3])
		}
	}
}

func write(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNotPictures(t *testing.T) {
	for name, test := range map[string]struct {
		content []byte
		says    string
	}{
		"text":    {[]byte("hello, I am text\n"), `text that starts with "hello, I am text\n"`},
		"accents": {[]byte(strings.Repeat("é", 300)), "text that starts with"},
		"empty":   {nil, "the file is empty"},
		"binary":  {[]byte{1, 2, 3, 0, 0xff}, "starts with the bytes 01 02 03 00 ff"},
		"zip":     {[]byte("PK\x03\x04 and so on"), "a ZIP archive"},
		"heic":    {[]byte("\x00\x00\x00\x18ftypheic"), "a HEIC picture, which is not supported: convert it to PNG or JPEG"},
		"avif":    {[]byte("\x00\x00\x00\x18ftypavif"), "an AVIF picture, which is not supported"},
		"film":    {[]byte("\x00\x00\x00\x18ftypqt  "), "a video (MP4 or QuickTime)"},
		"jxl":     {[]byte("\xff\x0a\x00"), "a JPEG XL picture, which is not supported"},
		"pnm":     {[]byte("P5\n3 3\n255\n"), "a PNM picture"},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "picture.png", test.content)
			_, err := Decode(path, DecodeOptions{})
			if !errors.Is(err, ErrNotPicture) {
				t.Fatalf("error %v, want ErrNotPicture", err)
			}
			for _, part := range []string{path, test.says} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestNotRegularFiles(t *testing.T) {
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe.png")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, pipe, os.DevNull} {
		if _, err := Decode(path, DecodeOptions{}); !errors.Is(err, ErrNotPicture) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want ErrNotPicture with the path", path, err)
		}
	}
	missing := filepath.Join(folder, "missing.png")
	if _, err := Decode(missing, DecodeOptions{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: error %v", err)
	}
}

// TestPromisedSize sets the size in each format's header far beyond the content and the memory.
func TestPromisedSize(t *testing.T) {
	const huge = "\x00\x01\x86\xa0" // 100,000, big-endian
	for _, test := range []struct {
		name   string
		change func(b []byte)
	}{
		{"rgb8.png", func(b []byte) { copy(b[16:], huge+huge) }},
		{"rgb444_21x17.jpg", func(b []byte) { copy(b[bytes.Index(b, []byte{0xff, 0xc2})+5:], "\xff\xff\xff\xff") }},
		{"rgb.bmp", func(b []byte) { copy(b[18:], "\xa0\x86\x01\x00\xa0\x86\x01\x00") }},
		{"palette.gif", func(b []byte) { copy(b[6:], "\xff\xff\xff\xff") }},
		{"rgb.tif", func(b []byte) { raiseTIFF(t, b) }},
		{"lossless.webp", func(b []byte) { copy(b[21:], "\xff\xff\xff\x0f") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			content := read(t, filepath.Join("testdata/pictures", test.name))
			test.change(content)
			path := write(t, test.name, content)
			var err error
			grown := testing.AllocsPerRun(1, func() { _, err = Decode(path, DecodeOptions{}) })
			if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), path) {
				t.Fatalf("error %v, want ErrTooLarge with the path", err)
			}
			if grown > 1000 {
				t.Errorf("%v allocations for a header", grown)
			}
		})
	}
}

// raiseTIFF sets the tags ImageWidth and ImageLength to 100,000.
func raiseTIFF(t *testing.T, b []byte) {
	t.Helper()
	at := int(b[4]) | int(b[5])<<8 | int(b[6])<<16
	for i := range le16(b[at:]) {
		entry := b[at+2+12*i:]
		if tag := le16(entry); tag == 256 || tag == 257 {
			copy(entry[2:], "\x04\x00\x01\x00\x00\x00\xa0\x86\x01\x00")
		}
	}
}

func TestMaxPixelsIsInclusive(t *testing.T) {
	path := "testdata/pictures/rgb8.png" // 19 x 13
	if _, err := Decode(path, DecodeOptions{MaxPixels: 19 * 13}); err != nil {
		t.Error(err)
	}
	if _, err := Decode(path, DecodeOptions{MaxPixels: 19*13 - 1}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
}

// TestFileFarLargerThanItsPixels uses a sparse file, which takes no space on disk.
func TestFileFarLargerThanItsPixels(t *testing.T) {
	path := write(t, "long.png", read(t, "testdata/pictures/rgb8.png"))
	if err := os.Truncate(path, 300<<20); err != nil {
		t.Skipf("no file with a hole: %v", err)
	}
	if _, err := Decode(path, DecodeOptions{}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("error %v, want ErrTooLarge", err)
	}
}

func TestTruncatedPictures(t *testing.T) {
	for _, name := range []string{"rgb420_32x16.jpg", "rgb444_21x17.jpg", "rgba8.png", "rgb.bmp", "palette.gif", "rgb.tif", "lossy.webp"} {
		content := read(t, filepath.Join("testdata/pictures", name))
		for _, part := range []int{12, len(content) / 3, len(content) * 2 / 3} {
			path := write(t, name, content[:part])
			if _, err := Decode(path, DecodeOptions{}); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("%s cut to %d of %d bytes: error %v, want one with the path", name, part, len(content), err)
			}
		}
	}
}

func TestOddSizes(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {20000, 50}, {1, 3000}} {
		m := image.NewGray(image.Rectangle{Max: size})
		for i := range m.Pix {
			m.Pix[i] = 77
		}
		for _, encode := range []func(*bytes.Buffer) error{
			func(b *bytes.Buffer) error { return png.Encode(b, m) },
			func(b *bytes.Buffer) error { return jpeg.Encode(b, m, nil) },
		} {
			var b bytes.Buffer
			if err := encode(&b); err != nil {
				t.Fatal(err)
			}
			im, err := Decode(write(t, "picture", b.Bytes()), DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if im.Width != size.X || im.Height != size.Y {
				t.Errorf("%v decodes to %d x %d", size, im.Width, im.Height)
			}
			out := im.ResizeBicubic(98, 98)
			if i := slices.IndexFunc(out.Pix, func(v uint8) bool { return v != 77 }); i >= 0 {
				t.Errorf("%v: a constant picture has %d at %d after scaling", size, out.Pix[i], i)
			}
		}
	}
}

// TestUnknownPixelType: a pixel type that no decoder returns gives an error, not a
// panic.
func TestUnknownPixelType(t *testing.T) {
	if _, err := toRGB(image.NewAlpha(image.Rect(0, 0, 2, 2)), pictureDepth, 0, 2); err == nil {
		t.Error("a picture of alpha alone was converted")
	}
}

// TestRealJPEGs compares various real photos with the standard library's decoder, which
// rounds its inverse DCT differently. (The fixtures show that our pixels equal
// Pillow's.)
func TestRealJPEGs(t *testing.T) {
	root := golden.SharedData(t, "magnetic_tile")
	paths, _ := filepath.Glob(filepath.Join(root, "*", "test", "*", "*.jpg"))
	if len(paths) == 0 {
		t.Fatalf("no pictures in %s", root)
	}
	for i := 0; i < len(paths); i += 1 + len(paths)/20 {
		im, err := Decode(paths[i], DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.Decode(bytes.NewReader(read(t, paths[i])))
		if err != nil {
			t.Fatal(err)
		}
		grey, ok := m.(*image.Gray)
		if !ok {
			continue
		}
		for x := range im.Width {
			y := im.Height / 2
			if ours, theirs := im.row(y)[3*x+1], grey.GrayAt(x, y).Y; max(ours, theirs)-min(ours, theirs) > 1 {
				t.Fatalf("%s: pixel (%d, %d) is %d, and %d by the standard library", paths[i], x, y, ours, theirs)
			}
		}
	}
}

// FuzzDecodeImageBytes: no content may panic, hang, or yield a picture beyond the limit.
func FuzzDecodeImageBytes(f *testing.F) {
	for _, path := range fixtures(f) {
		f.Add(read(f, path))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o := DecodeOptions{MaxPixels: 1 << 16, EXIF: true}
		file, err := decodeStored(b, o) // Decode without a file
		if err != nil {
			return
		}
		im, err := file.image(pictureDepth)
		if err != nil {
			return
		}
		for y := range im.Height { // as Stored converts
			row, err := file.rows(pictureDepth, y, y+1)
			if err != nil || !bytes.Equal(row.Pix, im.row(y)) {
				t.Fatalf("row %d differs alone: %v", y, err)
			}
		}
		im = turned(im, file.orientation())
		if im.Width <= 0 || im.Height <= 0 || int64(im.Width)*int64(im.Height) > o.MaxPixels || len(im.Pix) != 3*im.Width*im.Height {
			t.Errorf("%d x %d pixels in %d bytes", im.Width, im.Height, len(im.Pix))
		}
	})
}

// photo draws a picture that compresses about as well as a photo.
func photo(side int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			grain := uint8((x*7919 ^ y*104729) >> 3 & 15)
			copy(m.Pix[m.PixOffset(x, y):], []uint8{uint8(x/4) + grain, uint8(y/4) + grain, uint8((x+y)/8) + grain, 255})
		}
	}
	return m
}

func encodedPhoto(t testing.TB, name string) []byte {
	t.Helper()
	m := photo(700)
	if filepath.Ext(name) == ".png" {
		return encodePNG(t, m)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"photo.jpg", "photo.png"} {
		b.Run(name, func(b *testing.B) {
			path := write(b, name, encodedPhoto(b, name))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(path, DecodeOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
