package augment

import (
	"math"
	"reflect"
	"testing"
)

// draws returns many draws from one seed.
func draws(size int) (all []Parameters) {
	for epoch := range 20 {
		for index := range 500 {
			all = append(all, Draw(7, epoch, index, size))
		}
	}
	return all
}

func TestDrawDependsOnItsOriginAlone(t *testing.T) {
	first := Draw(1, 2, 3, 336)
	Draw(9, 9, 9, 336)
	if again := Draw(1, 2, 3, 336); !reflect.DeepEqual(first, again) {
		t.Errorf("drawn again: %+v, first %+v", again, first)
	}
	seen := map[[32]byte]bool{}
	for seed := range uint64(5) {
		for epoch := range 5 {
			for index := range 5 {
				for _, part := range []string{"noise", "rotation"} {
					seen[origin{seed, epoch, index}.key(part)] = true
				}
			}
		}
	}
	if len(seen) != 5*5*5*2 {
		t.Errorf("%d streams, want %d", len(seen), 5*5*5*2)
	}
}

func TestDrawDiffersBetweenEpochsAndPictures(t *testing.T) {
	all := draws(336)
	for _, other := range []int{1, 500} { // the next picture, the next epoch
		equal := 0
		for i := range all[other:] {
			if reflect.DeepEqual(all[i], all[i+other]) {
				equal++
			}
		}
		if share := float64(equal) / float64(len(all)); share > 0.01 {
			t.Errorf("%.4f of the pictures are drawn as the one %d further", share, other)
		}
	}
}

func TestSizeOnlyScalesTheTranslation(t *testing.T) {
	for index := range 200 {
		small, large := Draw(5, 0, index, 100), Draw(5, 0, index, 1000)
		for _, shift := range [][2]int{{small.ShiftX, large.ShiftX}, {small.ShiftY, large.ShiftY}} {
			if math.Abs(float64(10*shift[0]-shift[1])) > 6 {
				t.Errorf("shifts %d and %d at sizes 100 and 1000", shift[0], shift[1])
			}
		}
		large.ShiftX, large.ShiftY = small.ShiftX, small.ShiftY
		if !reflect.DeepEqual(small, large) {
			t.Errorf("%+v and %+v", small, large)
		}
	}
}

// TestProbabilitiesAndRanges allows four standard deviations for a share.
func TestProbabilitiesAndRanges(t *testing.T) {
	all := draws(336)
	tests := []struct {
		name   string
		chance float64
		value  func(Parameters) float64
		none   float64
		reach  float64
	}{
		{"brightness", 0.7, func(p Parameters) float64 { return p.Brightness }, 1, 0.5},
		{"contrast", 0.7, func(p Parameters) float64 { return p.Contrast }, 1, 0.5},
		{"saturation", 0.7, func(p Parameters) float64 { return p.Saturation }, 1, 0.5},
		{"rotation", 0.5, func(p Parameters) float64 { return p.Rotation }, 0, 30},
		// A drawn shift is zero pixels in 1 of 101 cases.
		{"shift right", 0.5 * 100 / 101, func(p Parameters) float64 { return float64(p.ShiftX) }, 0, 50},
		{"shift down", 0.5 * 100 / 101, func(p Parameters) float64 { return float64(p.ShiftY) }, 0, 50},
		{"noise", 0.3, func(p Parameters) float64 { return number(p.Noise != nil) }, 0, 1},
		{"horizontal flip", 0.5, func(p Parameters) float64 { return number(p.FlipX) }, 0, 1},
		{"vertical flip", 0.5, func(p Parameters) float64 { return number(p.FlipY) }, 0, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			applied, low, high, sum := 0.0, 0.0, 0.0, 0.0
			for _, p := range all {
				if d := test.value(p) - test.none; d != 0 {
					applied++
					sum += d
					low, high = min(low, d), max(high, d)
				}
			}
			share, n := applied/float64(len(all)), float64(len(all))
			if math.Abs(share-test.chance) > 4*math.Sqrt(test.chance*(1-test.chance)/n) {
				t.Errorf("applied to %.4f, want %.4f", share, test.chance)
			}
			if test.reach == 1 { // a boolean parameter
				return
			}
			if low < -test.reach || high > test.reach || low > -0.99*test.reach || high < 0.99*test.reach {
				t.Errorf("values from %g to %g about %g, want all of ±%g", low, high, test.none, test.reach)
			}
			if mean := sum / applied; math.Abs(mean) > 4*test.reach/math.Sqrt(3*applied) {
				t.Errorf("mean %g about %g", mean, test.none)
			}
		})
	}
}

// TestDrawsAreIndependent checks every pair of transforms.
func TestDrawsAreIndependent(t *testing.T) {
	names := []string{"noise", "brightness", "contrast", "saturation", "rotation", "translation", "flip x", "flip y"}
	chances := []float64{0.3, 0.7, 0.7, 0.7, 0.5, 0.5, 0.5, 0.5}
	var both [8][8]float64
	all := draws(336)
	for _, p := range all {
		applied := [8]bool{
			p.Noise != nil, p.Brightness != 1, p.Contrast != 1, p.Saturation != 1,
			p.Rotation != 0, p.ShiftX != 0 || p.ShiftY != 0, p.FlipX, p.FlipY,
		}
		for i := range applied {
			for j := range i {
				both[i][j] += number(applied[i] && applied[j])
			}
		}
	}
	for i := range both {
		for j := range i {
			want := chances[i] * chances[j]
			if got := both[i][j] / float64(len(all)); math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/float64(len(all))) {
				t.Errorf("%s and %s: %.4f of the draws, want %.4f", names[i], names[j], got, want)
			}
		}
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
