package augment

import (
	"slices"
	"testing"
)

func TestMosaic(t *testing.T) {
	siblings := []int{3, 5, 8, 9, 12, 20}
	applied, used := 0, map[int]int{}
	const draws = 4000
	for index := range draws {
		tiles := Mosaic(7, 2, index, 0.2, siblings)
		if tiles == nil {
			continue
		}
		applied++
		sorted := slices.Compact(slices.Sorted(slices.Values(tiles)))
		if len(sorted) != MosaicTiles {
			t.Fatalf("tiles %v are not different", tiles)
		}
		for _, tile := range tiles {
			if !slices.Contains(siblings, tile) {
				t.Fatalf("%d is no sibling", tile)
			}
			used[tile]++
		}
		if !slices.Equal(tiles, Mosaic(7, 2, index, 0.2, siblings)) {
			t.Fatal("another draw of the same mosaic")
		}
	}
	if applied < draws*17/100 || applied > draws*23/100 {
		t.Errorf("%d of %d pictures were replaced, want a fifth", applied, draws)
	}
	for _, tile := range siblings {
		if share := float64(used[tile]) / float64(applied); share < 0.6 || share > 0.73 {
			t.Errorf("%d is in %.2f of the mosaics, want two thirds", tile, share)
		}
	}
	if Mosaic(7, 2, 0, 1, siblings[:3]) != nil || Mosaic(7, 2, 0, 0, siblings) != nil {
		t.Error("a mosaic of three pictures, or with no chance")
	}
	if slices.Equal(Mosaic(7, 2, 1, 1, siblings), Mosaic(7, 3, 1, 1, siblings)) && slices.Equal(Mosaic(7, 2, 2, 1, siblings), Mosaic(7, 3, 2, 1, siblings)) {
		t.Error("the mosaics of two epochs are the same")
	}
}
