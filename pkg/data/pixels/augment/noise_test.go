package augment

import (
	"bytes"
	"math"
	"testing"
)

// speckShare is the probability that a standard normal exceeds 3.
const speckShare = 0.0013498980316300946

func TestShareAndPlacesOfSpecks(t *testing.T) {
	const pixels, parts = 4_000_000, 8
	var perPart [parts]float64
	count, last := 0.0, -1
	for s := range (&Noise{Key: [32]byte{1}}).specks(pixels) {
		if s.pixel <= last || s.pixel >= pixels {
			t.Fatalf("speck at %d after %d", s.pixel, last)
		}
		last = s.pixel
		count++
		perPart[s.pixel*parts/pixels]++
	}
	if want := speckShare * pixels; math.Abs(count-want) > 4*math.Sqrt(want) {
		t.Errorf("%.0f specks, want about %.0f", count, want)
	}
	for i, n := range perPart {
		if want := speckShare * pixels / parts; math.Abs(n-want) > 4*math.Sqrt(want) {
			t.Errorf("part %d has %.0f specks, want about %.0f", i, n, want)
		}
	}
}

// TestSpeckReachesEveryPixel draws for a tiny picture until its first and last pixel are specks.
func TestSpeckReachesEveryPixel(t *testing.T) {
	const pictures, pixels = 200_000, 4
	var hit [pixels]float64
	for i := range pictures {
		for s := range (&Noise{Key: [32]byte{byte(i), byte(i >> 8), byte(i >> 16)}}).specks(pixels) {
			hit[s.pixel]++
		}
	}
	for i, n := range hit {
		if want := speckShare * pictures; math.Abs(n-want) > 4*math.Sqrt(want) {
			t.Errorf("pixel %d hit %.0f times, want about %.0f", i, n, want)
		}
	}
}

func TestNormalsOfSpecks(t *testing.T) {
	var n, sum, squares, products float64
	for s := range (&Noise{Key: [32]byte{2}}).specks(20_000_000) {
		for c, v := range s.normals {
			v := float64(v)
			n++
			sum += v
			squares += v * v
			products += v * float64(s.normals[(c+1)%3])
		}
	}
	limit := 4 / math.Sqrt(n)
	if mean, variance, covariance := sum/n, squares/n, products/n; math.Abs(mean) > limit ||
		math.Abs(variance-1) > limit*math.Sqrt2 || math.Abs(covariance) > limit {
		t.Errorf("mean %.4f, variance %.4f, covariance of channels %.4f", mean, variance, covariance)
	}
}

func TestNoiseIsRepeatable(t *testing.T) {
	im := drawnPicture(300, 200)
	p := neutral()
	p.Noise = &Noise{Key: [32]byte{3}}
	first := p.Color(im)
	if !bytes.Equal(first.Pix, p.Color(im).Pix) {
		t.Error("the same noise gave two pictures")
	}
	p.Noise = &Noise{Key: [32]byte{4}}
	if bytes.Equal(first.Pix, p.Color(im).Pix) {
		t.Error("two noises gave one picture")
	}
}

// TestBytesSurviveNoise checks that pixels where m is 0 keep their bytes.
func TestBytesSurviveNoise(t *testing.T) {
	for v := range 256 {
		if got := uint8(float32(float32(v) / 255 * 255)); got != uint8(v) {
			t.Errorf("%d becomes %d", v, got)
		}
	}
}
