package picture

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// ReadBytes and InspectBytes give what Read and Inspect give for a file with that content,
// or the same error without the path.
func TestBytesAreReadLikeFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.*")
	if err != nil || len(files) < 80 {
		t.Fatal(len(files), err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, ".safetensors") {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []DecodeOptions{{}, {EXIF: true, Bits: 12}, {MaxPixels: 100}} {
			want, wantReading, wantErr := Read(path, o)
			got, reading, err := ReadBytes(content, o)
			if !reflect.DeepEqual(got, want) || reading != wantReading || (err == nil) != (wantErr == nil) || err != nil && path+": "+err.Error() != wantErr.Error() {
				t.Errorf("%s %+v: %v, and %v of the file", path, o, err, wantErr)
			}
			wantInfo, wantErr := Inspect(path, o)
			info, err := InspectBytes(content, o)
			if info != wantInfo || (err == nil) != (wantErr == nil) {
				t.Errorf("%s %+v: %+v, %v, and %+v, %v of the file", path, o, info, err, wantInfo, wantErr)
			}
		}
	}
}

// only is a picture of a type that is not known.
type only struct{ image.Image }

// FromImage drops alpha like Read, for pictures of every type, also for a part of one.
func TestFromImage(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	full := image.NewNRGBA(image.Rect(-2, 3, 9, 12))
	for i := range full.Pix {
		full.Pix[i] = uint8(random.IntN(256))
	}
	part := full.SubImage(image.Rect(0, 4, 7, 11))
	grey, grey16, deep := image.NewGray(part.Bounds()), image.NewGray16(part.Bounds()), image.NewNRGBA64(part.Bounds())
	opaque, palette := image.NewRGBA(part.Bounds()), image.NewPaletted(part.Bounds(), color.Palette{color.NRGBA{1, 2, 3, 4}, color.Gray{9}})
	for y := part.Bounds().Min.Y; y < part.Bounds().Max.Y; y++ {
		for x := part.Bounds().Min.X; x < part.Bounds().Max.X; x++ {
			c := full.NRGBAAt(x, y)
			grey.SetGray(x, y, color.Gray{c.R})
			grey16.SetGray16(x, y, color.Gray16{uint16(c.R)<<8 | uint16(c.G)})
			deep.SetNRGBA64(x, y, color.NRGBA64{uint16(c.R) << 8, uint16(c.G) << 8, uint16(c.B)<<8 | 255, uint16(c.A)})
			opaque.SetRGBA(x, y, color.RGBA{c.R, c.G, c.B, 255})
			palette.SetColorIndex(x, y, c.R%2)
		}
	}
	for name, m := range map[string]image.Image{"part": part, "grey": grey, "grey of 16 bits": grey16, "16 bits": deep, "opaque": opaque, "palette": palette, "another type": only{part}} {
		got, err := FromImage(m, DecodeOptions{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if other, ok := m.(only); ok {
			m = other.Image // image/png would multiply by alpha
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		want, _, err := ReadBytes(b.Bytes(), DecodeOptions{})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other pixels than of the same picture as a PNG (%v)", name, err)
		}
	}

	var b bytes.Buffer
	if err := jpeg.Encode(&b, opaque, nil); err != nil {
		t.Fatal(err)
	}
	decoded, err := jpeg.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := FromImage(decoded, DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Pix {
		r, g, b, _ := decoded.At(i/3%got.Width, i/3/got.Width).RGBA()
		if want := [3]uint32{r, g, b}[i%3] >> 8; uint32(got.Pix[i]) != want {
			t.Fatalf("value %d of a decoded JPEG is %d, want %d", i, got.Pix[i], want)
		}
	}
}

func TestFromImageRefuses(t *testing.T) {
	if _, err := FromImage(image.NewGray(image.Rect(0, 0, 11, 10)), DecodeOptions{MaxPixels: 109}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("110 pixels of 109: %v", err)
	}
	if _, err := FromImage(image.NewGray(image.Rect(0, 0, 0, 10)), DecodeOptions{}); err == nil || !strings.Contains(err.Error(), "0 x 10") {
		t.Errorf("no pixels: %v", err)
	}
}
