package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// storageFixtures maps file names of one format, in all its storage variants, to the
// pixels that Pillow decodes: [H, W] if all channels are equal, else [H, W, 3].
func storageFixtures(t testing.TB, format string, least int) map[string]pixels {
	t.Helper()
	want := readPixels(t, filepath.Join("testdata", format+".safetensors"))
	paths, _ := filepath.Glob(filepath.Join("testdata", format, "*"))
	if len(paths) != len(want) || len(paths) < least {
		t.Fatalf("%d pictures in testdata/%s, and the pixels of %d; want at least %d", len(paths), format, len(want), least)
	}
	return want
}

// rgb repeats the one channel of grey.
func (p pixels) rgb() *Image {
	if len(p.shape) == 3 {
		return p.image()
	}
	im := NewImage(p.shape[1], p.shape[0])
	greyToRGB(im.Pix, p.data)
	return im
}

// TestStorageAsPillow: all storage variants of TIFF and BMP decode to Pillow's pixels, as
// a picture and as a mask, and Inspect returns their size. Floats beyond 0 to 1 do only as
// a mask.
func TestStorageAsPillow(t *testing.T) {
	for format, least := range map[string]int{"tiff": 200, "bmp": 85} {
		for name, stored := range storageFixtures(t, format, least) {
			t.Run(name, func(t *testing.T) {
				path, want := filepath.Join("testdata", format, name), stored.rgb()
				info, err := Inspect(path, DecodeOptions{})
				if err != nil || info.Width != want.Width || info.Height != want.Height {
					t.Fatalf("%+v, %v; want %d x %d pixels", info, err, want.Width, want.Height)
				}
				im, err := Decode(path, DecodeOptions{})
				if info.Mode == "F" {
					if !errors.Is(err, ErrNotSupported) {
						t.Errorf("floats beyond 0 to 1: error %v", err)
					}
					im = want
				} else if err != nil {
					t.Fatal(err)
				}
				if largest, mean := difference(t, im.Pix, want.Pix); largest > 0 {
					t.Errorf("color: largest difference %d, mean %.3f", largest, mean)
				}
				mask, _, err := DecodeMask(path, 2, DecodeOptions{}, Upright)
				if err != nil {
					t.Fatal(err)
				}
				if largest, mean := difference(t, mask.Pix, want.grey().Pix); largest > 0 {
					t.Errorf("grey: largest difference %d, mean %.3f", largest, mean)
				}
				checkAgrees(t, path)
			})
		}
	}
}

// TestFloats: floats from 0 to 1 in all storage variants are black to white, as numpy
// rounds them.
func TestFloats(t *testing.T) {
	for name, stored := range storageFixtures(t, "float", 29) {
		path, want := filepath.Join("testdata/float", name), stored.rgb()
		im, err := Decode(path, DecodeOptions{Bits: 8})
		if err != nil {
			t.Fatal(err)
		}
		if im.Width != want.Width || im.Height != want.Height || !bytes.Equal(im.Pix, want.Pix) {
			t.Errorf("%s: other pixels", name)
		}
		checkAgrees(t, path)
	}
}

// TestFloatsWithoutMeaning: values that cannot be from 0 to 1 are named in the error, and
// whatever follows them in the file.
func TestFloatsWithoutMeaning(t *testing.T) {
	for _, test := range []struct {
		name   string
		first  []float32
		extra  uint16 // ExtraSamples of the file with alpha
		errors string // "": none
	}{
		{"grey_little.tif", []float32{0, 1, 0.5}, 0, ""},
		{"grey_little.tif", []float32{0, 1.5, 0.5}, 0, "32-bit floats from 0 to 1.5"},
		{"grey_little.tif", []float32{-0.25, 1}, 0, "32-bit floats from -0.25 to 1;"},
		{"grey_little.tif", []float32{float32(math.NaN())}, 0, "NaN or infinite"},
		{"grey_little.tif", []float32{0, 0, float32(math.Inf(-1))}, 0, "NaN or infinite"},
		{"rgb_little_planar1.tif", []float32{0, 0, float32(math.Inf(1))}, 0, "NaN or infinite"},
		{"rgb_little_planar2.tif", []float32{300}, 0, "32-bit floats from 0 to 300"},
		{"rgb_alpha.tif", []float32{0, 0, 0, float32(math.NaN())}, 2, ""}, // alpha is dropped
		{"rgb_alpha.tif", nil, 1, "floats that are premultiplied by alpha"},
	} {
		b := read(t, filepath.Join("testdata/float", test.name))
		for i, v := range test.first {
			binary.LittleEndian.PutUint32(b[8+4*i:], math.Float32bits(v))
		}
		if test.extra > 0 {
			setTIFF(t, b, 338, test.extra)
		}
		path := write(t, "picture.tif", b)
		_, err := Decode(path, DecodeOptions{})
		_, _, checked := Check(path, DecodeOptions{})
		for _, err := range []error{err, checked} {
			switch {
			case test.errors == "" && err != nil,
				test.errors != "" && (!errors.Is(err, ErrNotSupported) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), test.errors)):
				t.Errorf("%s with %v: error %v, want %q", test.name, test.first, err, test.errors)
			}
		}
	}
}

// TestStorageCutShort: a truncated file gives an error or, if only padding or an end mark
// is missing, the same picture.
func TestStorageCutShort(t *testing.T) {
	for format, least := range map[string]int{"tiff": 200, "bmp": 85, "float": 29} {
		for name, stored := range storageFixtures(t, format, least) {
			whole := read(t, filepath.Join("testdata", format, name))
			want, err := Decode(filepath.Join("testdata", format, name), DecodeOptions{})
			if errors.Is(err, ErrNotSupported) {
				continue // floats beyond 0 to 1
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, length := range []int{len(whole) - 1, len(whole) - 5, len(whole) * 2 / 3, len(whole) / 3, 20, 9} {
				im, err := Decode(write(t, name, whole[:length]), DecodeOptions{})
				if err == nil && !bytes.Equal(im.Pix, want.Pix) {
					t.Errorf("%s, %v, cut to %d of %d bytes: other pixels", name, stored.shape, length, len(whole))
				}
				if errors.Is(err, ErrNotSupported) {
					t.Errorf("%s cut to %d of %d bytes: %v", name, length, len(whole), err)
				}
			}
		}
	}
}

// TestModesOfStorage: the names of pixel formats are Pillow's.
func TestModesOfStorage(t *testing.T) {
	for name, want := range map[string]string{
		"tiff/white_is_zero1_fill1.tif": "1", "tiff/fax_1x1.tif": "1", "tiff/black_is_zero4_fill1.tif": "L", "tiff/palette8.tif": "P",
		"tiff/palette8_alpha.tif": "PA", "tiff/grey_alpha.tif": "LA", "tiff/grey16.tif": "L;16", "tiff/grey12.tif": "L;12", "tiff/signed32_big.tif": "I",
		"tiff/float_big.tif": "F", "float/rgb_little_planar1.tif": "RGB;32", "float/rgb_alpha.tif": "RGBA;32", "tiff/rgb8_3.tif": "RGB", "tiff/rgb8_4.tif": "RGBA", "tiff/rgb8_4_0.tif": "RGB", "tiff/rgb8_4_1.tif": "RGBA",
		"tiff/rgb16_4_2.tif": "RGBA;16", "tiff/cmyk8.tif": "CMYK", "tiff/cmyk16.tif": "CMYK;16", "tiff/ycbcr_22.tif": "RGB", "tiff/jpeg_grey.tif": "L",
		"bmp/bilevel.bmp": "1", "bmp/grey8.bmp": "L", "bmp/palette4.bmp": "P", "bmp/rgb16.bmp": "RGB", "bmp/rgb32_masks5.bmp": "RGBA", "bmp/rgb32.bmp": "RGB",
	} {
		info, err := Inspect(filepath.Join("testdata", name), DecodeOptions{})
		if err != nil || info.Mode != want {
			t.Errorf("%s: mode %q, %v; want %q", name, info.Mode, err, want)
		}
	}
}

// TestStorageNotRead: all functions return an error that names the unsupported feature and does not call the file damaged.
func TestStorageNotRead(t *testing.T) {
	set := func(name string, tag, value uint16) []byte {
		b := read(t, filepath.Join("testdata/tiff", name))
		setTIFF(t, b, tag, value)
		return b
	}
	bmp := func(at int, value byte) []byte {
		b := read(t, "testdata/bmp/rgb24.bmp")
		b[at] = value
		return b
	}
	for says, content := range map[string][]byte{
		"old-style JPEG (compression scheme 6": set("rgb8_3.tif", 259, 6),
		"LERC":                                 set("rgb8_3.tif", 259, 34887),
		"Zstandard":                            set("rgb8_3.tif", 259, 50000),
		"compression (compression scheme 777":  set("rgb8_3.tif", 259, 777),
		"CIE L*a*b*":                           set("rgb8_3.tif", 262, 8),
		"raw camera data (CFA)":                set("white_is_zero8.tif", 262, 32803),
		"color (photometric interpretation 77": set("rgb8_3.tif", 262, 77),
		"64 unsigned bits":                     set("unsigned32.tif", 258, 64),
		"16 unsigned bits with photometric interpretation 0": set("grey16_big_endian.tif", 262, 0),
		"YCbCr in separate planes":                           set("ycbcr_22.tif", 284, 2),
		"predictor 34892":                                    set("planar1_predictor.tif", 317, 34892),
		"a BMP with 48 bits":                                 bmp(28, 48),
		"compression 4 (JPEG) of a BMP":                      bmp(30, 4),
		"compression 11 (CMYK)":                              bmp(30, 11),
		"a BMP header of 125 bytes":                          bmp(14, 125),
	} {
		path := write(t, "picture", content)
		_, err := Decode(path, DecodeOptions{})
		_, _, checked := Check(path, DecodeOptions{})
		for _, err := range []error{err, checked} {
			if !errors.Is(err, ErrNotSupported) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "damaged") {
				t.Errorf("%q: error %v", says, err)
			}
		}
	}
}

// setTIFF changes the first value, a SHORT, of a field.
func setTIFF(t *testing.T, b []byte, tag, value uint16) {
	t.Helper()
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	at := int(order.Uint32(b[4:]))
	for i := range int(order.Uint16(b[at:])) {
		if entry := b[at+2+12*i:]; order.Uint16(entry) == tag {
			order.PutUint16(entry[2:], 3)
			order.PutUint32(entry[4:], 1)
			order.PutUint16(entry[8:], value)
			return
		}
	}
	t.Fatalf("no tag %d", tag)
}

// TestDeepTIFFMasks: with NonZero, a non-zero 16-bit value stays non-zero.
func TestDeepTIFFMasks(t *testing.T) {
	b := read(t, "testdata/tiff/grey16.tif")
	copy(b[8:], []byte{0, 0, 1, 0, 0, 1, 0xff, 0xff})
	path := write(t, "mask.tif", b)
	g, _, err := DecodeMask(path, NonZero, DecodeOptions{}, Upright)
	if err != nil || !bytes.Equal(g.Pix[:4], []byte{0, 1, 1, 255}) {
		t.Errorf("%v, %v", g, err)
	}
}

// TestTIFFJPEGLargerThanItsTile: the error comes before the JPEG is decoded.
func TestTIFFJPEGLargerThanItsTile(t *testing.T) {
	content := read(t, "testdata/pictures/rgb444_21x17.jpg")
	if _, _, _, err := tiffJPEG(content, image.Pt(20, 17), true); err == nil || !strings.Contains(err.Error(), "21 x 17") {
		t.Errorf("error %v", err)
	}
	if _, size, components, err := tiffJPEG(content, image.Pt(64, 64), true); err != nil || size != image.Pt(21, 17) || components != 3 {
		t.Errorf("%v, %d components, %v", size, components, err)
	}
	if _, _, _, err := tiffJPEG(content[:len(content)/2], image.Pt(64, 64), true); err == nil {
		t.Error("half a JPEG is no error")
	}
}
