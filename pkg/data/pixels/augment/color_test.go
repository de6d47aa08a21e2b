package augment

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"acdclip/pkg/data/pixels/picture"
)

// neutral returns parameters that change nothing.
func neutral() Parameters { return Parameters{Brightness: 1, Contrast: 1, Saturation: 1} }

// drawnPicture returns a picture of random bytes.
func drawnPicture(width, height int) *picture.Image {
	im := picture.NewImage(width, height)
	rand.NewChaCha8([32]byte{}).Read(im.Pix)
	return im
}

func TestColorWithNothingToDo(t *testing.T) {
	im := drawnPicture(5, 4)
	p := neutral()
	p.Rotation, p.FlipX = 12, true // must not affect Color
	if p.Color(im) != im {
		t.Error("another picture came back")
	}
}

// TestFactorOne: a factor of 1 changes nothing, whichever other transform applies.
func TestFactorOne(t *testing.T) {
	im := drawnPicture(50, 40)
	for _, p := range []Parameters{
		{Brightness: 1 + 1e-12, Contrast: 1, Saturation: 1},
		{Brightness: 1, Contrast: 1 + 1e-12, Saturation: 1},
		{Brightness: 1, Contrast: 1, Saturation: 1 + 1e-12},
	} {
		if out := p.Color(im); out == im || !bytes.Equal(out.Pix, im.Pix) {
			t.Errorf("%+v, which float32 takes as 1, changed the picture or gave it back", p)
		}
	}
}

func TestColorNeverChangesItsInput(t *testing.T) {
	im := drawnPicture(200, 150)
	before := bytes.Clone(im.Pix)
	for index := range 100 {
		out := Draw(3, 0, index, 98).Color(im)
		if !bytes.Equal(im.Pix, before) {
			t.Fatalf("picture %d changed its input", index)
		}
		if out.Width != im.Width || out.Height != im.Height || len(out.Pix) != len(im.Pix) {
			t.Fatalf("picture %d is %d x %d with %d bytes", index, out.Width, out.Height, len(out.Pix))
		}
	}
}

func TestColorOfOnePixel(t *testing.T) {
	for index := range 200 {
		im := drawnPicture(1, 1)
		if out := Draw(4, 0, index, 1).Color(im); len(out.Pix) != 3 {
			t.Fatalf("%d bytes", len(out.Pix))
		}
	}
}

// TestGreyStaysGrey: saturation does not change grey; brightness and contrast change all channels equally.
func TestGreyStaysGrey(t *testing.T) {
	im := drawnPicture(64, 64)
	for i := 0; i < len(im.Pix); i += 3 {
		im.Pix[i+1], im.Pix[i+2] = im.Pix[i], im.Pix[i]
	}
	p := neutral()
	p.Saturation = 1.37
	if !bytes.Equal(p.Color(im).Pix, im.Pix) {
		t.Error("saturation changed a grey picture")
	}
	p.Brightness, p.Contrast = 0.8, 1.3
	for i, out := 0, p.Color(im); i < len(out.Pix); i += 3 {
		if out.Pix[i] != out.Pix[i+1] || out.Pix[i] != out.Pix[i+2] {
			t.Fatalf("pixel %d is %v", i/3, out.Pix[i:i+3])
		}
	}
}

func BenchmarkColor(b *testing.B) {
	im := drawnPicture(1500, 1000)
	for name, p := range map[string]Parameters{
		"noise":      {Noise: &Noise{}, Brightness: 1, Contrast: 1, Saturation: 1},
		"brightness": {Brightness: 1.2, Contrast: 1, Saturation: 1},
		"contrast":   {Brightness: 1, Contrast: 1.2, Saturation: 1},
		"saturation": {Brightness: 1, Contrast: 1, Saturation: 1.2},
		"all":        {Noise: &Noise{}, Brightness: 0.8, Contrast: 1.2, Saturation: 0.9},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(im.Pix)))
			for b.Loop() {
				p.Color(im)
			}
		})
	}
}
