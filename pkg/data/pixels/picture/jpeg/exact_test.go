package jpeg

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestUpsampling compares with one sample at a time, for all short rows and for extreme values.
func TestUpsampling(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for width := minFancyWidth; width < 70; width++ {
		near, far := make([]uint8, width), make([]uint8, width)
		for i := range near {
			near[i], far[i] = uint8(random.Uint32()), uint8(random.Uint32())
			if width%2 == 0 {
				near[i], far[i] = near[i]>>7*255, far[i]>>7*255
			}
		}
		wantAcross, wantBoth := make([]uint8, 2*width), make([]uint8, 2*width)
		for x := range 2 * width {
			at, beside := x/2, min(max(x/2-1+2*(x%2), 0), width-1)
			wantAcross[x] = uint8((3*int(near[at]) + int(near[beside]) + 1 + x%2) / 4)
			sum := func(i int) int { return 3*int(near[i]) + int(far[i]) }
			wantBoth[x] = uint8((3*sum(at) + sum(beside) + 8 - x%2) / 16)
		}
		got := make([]uint8, 2*width)
		if upsampleAcross(got, near); !bytes.Equal(got, wantAcross) {
			t.Errorf("%d samples across: %v, want %v", width, got, wantAcross)
		}
		if upsampleBoth(got, near, far); !bytes.Equal(got, wantBoth) {
			t.Errorf("%d samples in both directions: %v, want %v", width, got, wantBoth)
		}
	}
}

// TestColors compares all colors with libjpeg's formula.
func TestColors(t *testing.T) {
	const side = 256
	components := [][]uint8{make([]uint8, side), make([]uint8, side), make([]uint8, side)}
	got := make([]uint8, 3*side)
	for i := range side {
		components[0][i] = uint8(i)
	}
	for cb := range side {
		for cr := range side {
			for i := range side {
				components[1][i], components[2][i] = uint8(cb), uint8(cr)
			}
			ycbcrToRGB(got, components)
			blue, red := cb-128, cr-128
			for y := range side {
				for c, v := range [3]int{
					y + (crToRed*red+fixedHalf)>>16,
					y + (fixedHalf-cbToGreen*blue-crToGreen*red)>>16,
					y + (cbToBlue*blue+fixedHalf)>>16,
				} {
					if want := uint8(min(max(v, 0), 255)); got[3*y+c] != want {
						t.Fatalf("YCbCr %d, %d, %d: channel %d is %d, want %d", y, cb, cr, c, got[3*y+c], want)
					}
				}
			}
		}
	}
}
