package metrics

import (
	"math/rand/v2"
	"testing"
)

// TestRegions compares with a flood fill.
func TestRegions(t *testing.T) {
	random := rand.New(rand.NewPCG(28, 29))
	var l labeller
	for i := range 500 {
		width, height := 1+random.IntN(30), 1+random.IntN(30)
		mask := make([]uint8, width*height)
		for j, share := 0, random.Float64(); j < len(mask); j++ {
			if random.Float64() < share {
				mask[j] = uint8(1 + random.IntN(255))
			}
		}
		sizes, want := floodFill(mask, width)
		if got := l.label(mask, width); got != want {
			t.Fatalf("mask %d: %d regions, want %d", i, got, want)
		}
		pixels := 0
		for j, s := range l.spans {
			for at := s.from; at < s.to; at++ {
				if pixels++; l.size(j) != sizes[at] {
					t.Fatalf("mask %d: pixel %d is in a region of %d, want %d", i, at, l.size(j), sizes[at])
				}
			}
		}
		for _, size := range sizes {
			if size > 0 {
				pixels--
			}
		}
		if pixels != 0 {
			t.Fatalf("mask %d: %d pixels too many", i, pixels)
		}
	}
}

// floodFill returns the size of each pixel's region, 0 for normal pixels, and the number of regions.
func floodFill(mask []uint8, width int) (sizes []uint32, regions int) {
	sizes = make([]uint32, len(mask))
	for start := range mask {
		if mask[start] == 0 || sizes[start] > 0 {
			continue
		}
		regions++
		sizes[start] = 1
		region := []int{start}
		for i := 0; i < len(region); i++ {
			x, y := region[i]%width, region[i]/width
			for ny := max(y-1, 0); ny <= min(y+1, len(mask)/width-1); ny++ {
				for nx := max(x-1, 0); nx <= min(x+1, width-1); nx++ {
					if at := ny*width + nx; mask[at] != 0 && sizes[at] == 0 {
						sizes[at] = 1
						region = append(region, at)
					}
				}
			}
		}
		for _, at := range region {
			sizes[at] = uint32(len(region))
		}
	}
	return sizes, regions
}
