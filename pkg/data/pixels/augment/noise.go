package augment

import (
	"iter"
	"math"
)

// speckThreshold is the standard normal value above which a pixel is a speck.
const speckThreshold = 3

// Noise multiplies about one pixel in 741 by random numbers. With x = v/255,
// a plane m [H, W] that is 1 where a standard normal exceeds 3, and standard
// normals n [H, W, 3], x becomes (1-m) x + m n x, clipped to [0, 1], and v the
// truncated 255 x, all in float32. (ACD-CLIP's AddGaussianNoise, between
// torchvision's ToTensor and ToPILImage.)
type Noise struct {
	Key [32]byte // seeds the random stream of m and n
}

// speck is one pixel where m is 1.
type speck struct {
	pixel   int        // its index in [H, W]
	normals [3]float32 // n, one for each channel
}

// specks draws the specks of a picture with the given number of pixels, in order.
// Instead of m it draws the gaps between the ones of m, which are geometrically
// distributed: P(gap >= k) = (1-p)^k, where p is the probability that m is 1.
func (n *Noise) specks(pixels int) iter.Seq[speck] {
	logMiss := math.Log1p(-math.Erfc(speckThreshold/math.Sqrt2) / 2)
	return func(yield func(speck) bool) {
		r := stream(n.Key)
		for pixel := 0; ; pixel++ {
			pixel += int(math.Log1p(-r.Float64()) / logMiss)
			if pixel >= pixels {
				return
			}
			s := speck{pixel: pixel}
			for c := range s.normals {
				s.normals[c] = float32(r.NormFloat64())
			}
			if !yield(s) {
				return
			}
		}
	}
}

// multiply applies specks to pix [H, W, 3] in place. Pixels where m is 0 need no
// work: for every byte v, v/255*255 in float32 is at least v and truncates to it.
func multiply(pix []uint8, specks iter.Seq[speck]) {
	for s := range specks {
		p := pix[3*s.pixel:][:3]
		for c, n := range s.normals {
			x := min(max(float32(n*(float32(p[c])/255)), 0), 1)
			p[c] = uint8(float32(x * 255))
		}
	}
}
