package augment

// MosaicTiles is the number of pictures in a mosaic, two by two.
const MosaicTiles = 4

// Mosaic draws whether picture number index is replaced by a mosaic in an epoch, with the
// given chance, and of which pictures: MosaicTiles different ones of siblings, row by row.
// It returns nil if it is not replaced, or if there are too few siblings. It depends only on
// (seed, epoch, index), the chance and the siblings.
func Mosaic(seed uint64, epoch, index int, chance float64, siblings []int) []int {
	r, ok := origin{seed, epoch, index}.applied("mosaic", chance)
	if !ok || len(siblings) < MosaicTiles {
		return nil
	}
	tiles := make([]int, MosaicTiles)
	for i, place := range r.Perm(len(siblings))[:MosaicTiles] {
		tiles[i] = siblings[place]
	}
	return tiles
}
