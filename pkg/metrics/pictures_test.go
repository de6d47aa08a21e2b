package metrics

import (
	"math/rand/v2"
	"testing"
)

// picture is the map and mask of one picture.
type picture struct {
	scores        []float32
	mask          []uint8
	width, height int
}

// somePictures draws pictures of different sizes, one without anomalous pixels, with random regions and some tied scores.
func somePictures(random *rand.Rand, n int) []picture {
	pictures := make([]picture, n)
	for i := range pictures {
		p := picture{width: 1 + random.IntN(90), height: 1 + random.IntN(90)}
		p.mask = make([]uint8, p.width*p.height)
		p.scores = make([]float32, len(p.mask))
		if i > 0 {
			p.blot(random)
		}
		levels := 1 << random.IntN(20)
		for j := range p.scores {
			score := drawnScore(random, p.mask[j] != 0)
			p.scores[j] = float32(int(score*float32(levels))) / float32(levels)
		}
		pictures[i] = p
	}
	return pictures
}

// blot marks pixels as anomalous: a few, or up to half of them.
func (p picture) blot(random *rand.Rand) {
	for range 1 + random.IntN(len(p.mask)/16+1) {
		at := random.IntN(len(p.mask))
		for range random.IntN(8) {
			p.mask[at] = uint8(1 + random.IntN(255))
			at = min(max(at+[]int{1, -1, p.width, -p.width}[random.IntN(4)], 0), len(p.mask)-1)
		}
	}
}

func newPixels(t testing.TB, o Options) *Pixels {
	t.Helper()
	pixels, err := NewPixels(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pixels.Close(); err != nil {
			t.Error(err)
		}
	})
	return pixels
}

// crampedPixels returns a Pixels with short runs, of which room bytes stay in memory.
func crampedPixels(t testing.TB, workers, length int, room int64) *Pixels {
	return spilling(t, bounds{length, room, workers}, spillInto(t.TempDir()))
}

// spilling returns a Pixels with the given bounds, which spills into the file from spill.
func spilling(t testing.TB, b bounds, spill func() (*spillFile, error)) *Pixels {
	pixels := newPixels(t, Options{Workers: b.sorters})
	pixels.pool = newPool(b, spill)
	return pixels
}

// collected returns the number of collected pixels.
func collected(pixels *Pixels) uint64 {
	return pixels.pool.piles[anomalous].count + pixels.pool.piles[normal].count
}

func addAll(t testing.TB, pixels *Pixels, pictures []picture) {
	t.Helper()
	for _, p := range pictures {
		if err := pixels.Add(p.scores, p.mask, p.width, p.height); err != nil {
			t.Fatal(err)
		}
	}
}

func summarize(t testing.TB, pixels *Pixels) Summary {
	t.Helper()
	summary, err := pixels.Summary()
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// summary returns the Summary of pictures.
func summary(t testing.TB, o Options, pictures []picture) Summary {
	t.Helper()
	pixels := newPixels(t, o)
	addAll(t, pixels, pictures)
	return summarize(t, pixels)
}
