package augment

import (
	"bytes"
	"fmt"
	"testing"
)

// indexed returns a square whose pixels encode their position: red and green are the
// index counted from 1, so no pixel equals fill. The mask is the index's lowest byte.
func indexed(size int) (pix, mask []uint8) {
	for i := range size * size {
		pix = append(pix, uint8(i+1), uint8((i+1)>>8), 255)
		mask = append(mask, uint8(i+1))
	}
	return pix, mask
}

func TestGeometryWithNothingToDo(t *testing.T) {
	pix, mask := indexed(6)
	gotPix, gotMask, inside := neutral().Geometry(pix, mask, 6)
	if &gotPix[0] != &pix[0] || &gotMask[0] != &mask[0] || inside != nil {
		t.Error("something else than the input came back")
	}
}

func TestFlipTwice(t *testing.T) {
	for _, size := range []int{1, 2, 7, 98} {
		pix, mask := indexed(size)
		for _, p := range []Parameters{{FlipX: true}, {FlipY: true}, {FlipX: true, FlipY: true}} {
			oncePix, onceMask, inside := p.Geometry(pix, mask, size)
			twicePix, twiceMask, insideTwice := p.Geometry(oncePix, onceMask, size)
			if inside != nil || insideTwice != nil {
				t.Errorf("size %d, %+v: a flip has no fill", size, p)
			}
			if size > 1 && bytes.Equal(oncePix, pix) {
				t.Errorf("size %d, %+v: nothing flipped", size, p)
			}
			if !bytes.Equal(twicePix, pix) || !bytes.Equal(twiceMask, mask) {
				t.Errorf("size %d, %+v: twice is not the input", size, p)
			}
		}
	}
}

func TestShift(t *testing.T) {
	pix, mask := []uint8{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4}, []uint8{1, 2, 3, 4}
	for _, test := range []struct {
		x, y         int
		mask, inside []uint8
	}{
		{1, 0, []uint8{0, 1, 0, 3}, []uint8{0, 1, 0, 1}},
		{0, -1, []uint8{3, 4, 0, 0}, []uint8{1, 1, 0, 0}},
		{-1, 1, []uint8{0, 0, 2, 0}, []uint8{0, 0, 1, 0}},
		{2, 0, make([]uint8, 4), make([]uint8, 4)},
	} {
		_, got, inside := Parameters{ShiftX: test.x, ShiftY: test.y}.Geometry(pix, mask, 2)
		if !bytes.Equal(got, test.mask) || !bytes.Equal(inside, test.inside) {
			t.Errorf("shift (%d, %d): %v, inside %v", test.x, test.y, got, inside)
		}
	}
}

// TestPictureAndMaskMoveTogether checks for many draws that picture and mask use the
// same source pixels, that inside marks exactly the fill, and that the inputs stay
// unchanged.
func TestPictureAndMaskMoveTogether(t *testing.T) {
	for _, size := range []int{1, 2, 35, 98} {
		pix, mask := indexed(size)
		pixBefore, maskBefore := bytes.Clone(pix), bytes.Clone(mask)
		for index := range 50 {
			p := Draw(6, 0, index, size)
			gotPix, gotMask, inside := p.Geometry(pix, mask, size)
			fills := 0
			for i := range size * size {
				is := gotPix[3*i+2] == 255
				if !is {
					fills++
				}
				if gotMask[i] != gotPix[3*i] {
					t.Fatalf("size %d, %+v: pixel %d has the mask of another", size, p, i)
				}
				if inside != nil && (inside[i] == 1) != is {
					t.Fatalf("size %d, %+v: inside at %d is %d", size, p, i, inside[i])
				}
			}
			if (fills > 0) != (inside != nil) {
				t.Errorf("size %d, %+v: %d pixels are fill, inside is nil: %v", size, p, fills, inside == nil)
			}
			alone, none, _ := p.Geometry(pix, nil, size)
			if !bytes.Equal(alone, gotPix) || none != nil {
				t.Errorf("size %d, %+v: another result without a mask", size, p)
			}
		}
		if !bytes.Equal(pix, pixBefore) || !bytes.Equal(mask, maskBefore) {
			t.Errorf("size %d: the input changed", size)
		}
	}
}

// TestRotationIsCounterClockwise rotates by 90 and 180 degrees.
func TestRotationIsCounterClockwise(t *testing.T) {
	_, mask := indexed(2) // 1 2 / 3 4
	for degrees, want := range map[float64][]uint8{90: {2, 4, 1, 3}, 180: {4, 3, 2, 1}, -90: {3, 1, 4, 2}, 0: {1, 2, 3, 4}} {
		_, got, _ := Parameters{Rotation: degrees}.Geometry(make([]uint8, 12), mask, 2)
		if !bytes.Equal(got, want) {
			t.Errorf("%g degrees: %v, want %v", degrees, got, want)
		}
	}
}

// TestNoRotation: flips and shifts without rotation use an angle of 0, which must not move pixels at any size.
func TestNoRotation(t *testing.T) {
	for size := 1; size <= 2000; size++ {
		turn := newTurn(0, size)
		for i := range size {
			if got, want := turn.source(i, size-1-i), int32((size-1-i)*size+i); got != want {
				t.Fatalf("size %d: pixel %d takes %d", size, want, got)
			}
		}
	}
}

func BenchmarkGeometry(b *testing.B) {
	for _, size := range []int{336, 518} {
		pix, mask := indexed(size)
		for name, p := range map[string]Parameters{
			"flip": {FlipX: true},
			"all":  {Rotation: 17, ShiftX: 9, ShiftY: -4, FlipX: true, FlipY: true},
		} {
			b.Run(fmt.Sprint(name, size), func(b *testing.B) {
				for b.Loop() {
					p.Geometry(pix, mask, size)
				}
			})
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for index := 0; b.Loop(); index++ {
		Draw(1, 0, index, 336)
	}
}
