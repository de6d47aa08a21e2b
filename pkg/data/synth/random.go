package synth

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// picture identifies one picture of a dataset. All its random numbers depend only on
// this identity, so the drawing order and other pictures do not matter.
type picture struct {
	seed  uint64
	class string
	split string // folder relative to the class's folder: "train/good", "test/crack"
	index int
}

// stream returns the random number generator for one part of the picture.
func (p picture) stream(part string) *rand.Rand {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\x00%q\x00%q\x00%d\x00%q", p.seed, p.class, p.split, p.index, part))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:])))
}

// between draws a number from [low, high).
func between(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }

// field is a random function of the plane: value noise on the integer lattice, smooth
// between lattice points.
type field uint64

func newField(r *rand.Rand) field { return field(r.Uint64()) }

// cell returns the lattice value at (i, j), uniform in [0, 1).
func (f field) cell(i, j int) float64 {
	h := uint64(f) + uint64(i)*0x9e3779b97f4a7c15 + uint64(j)*0xc2b2ae3d27d4eb4f
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9 // splitmix64's finaliser
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return float64((h^h>>31)>>11) / (1 << 53)
}

// at returns the field's value at a point, in [-1, 1].
func (f field) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	i, j := int(fx), int(fy)
	u, v := fade(x-fx), fade(y-fy)
	top := lerp(f.cell(i, j), f.cell(i+1, j), u)
	bottom := lerp(f.cell(i, j+1), f.cell(i+1, j+1), u)
	return 2*lerp(top, bottom, v) - 1
}

// sum returns the sum of octaves of the field, each with twice the frequency and half the amplitude, in (-2, 2).
func (f field) sum(x, y float64, octaves int) float64 {
	total, strength := 0.0, 1.0
	for range octaves {
		total += strength * f.at(x, y)
		x, y, strength = 2*x+17.3, 2*y-9.1, strength/2
	}
	return total
}

// fade is the quintic smoothstep, whose first two derivatives are zero at 0 and 1.
func fade(t float64) float64 { return t * t * t * (t*(6*t-15) + 10) }

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

func clamp(v float64) float64 { return min(1, max(0, v)) }

// ramp rises smoothly from 0 at low to 1 at high.
func ramp(low, high, v float64) float64 {
	t := clamp((v - low) / (high - low))
	return t * t * (3 - 2*t)
}
