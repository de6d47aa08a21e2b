package tiling

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"acdclip/pkg/anomalymap"
)

// somePlans returns plans of many sizes, including strips and single pixels.
func somePlans() []Plan {
	var plans []Plan
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		side := func() int { return int(math.Exp(random.Float64() * 7)) } // 1 to 1,096
		o := Options{Size: LeastSize + random.IntN(300), Overlap: random.Float64() * MostOverlap}
		if random.IntN(4) == 0 {
			o.Overlap = 0
		}
		plans = append(plans, o.Plan(side(), side()))
	}
	return plans
}

// All pixels are covered, and all tiles lie inside and have one size.
func TestTilesCover(t *testing.T) {
	for _, p := range somePlans() {
		covered := make([]bool, p.Width*p.Height)
		for i := range p.Count() {
			tile := p.At(i)
			if tile.Size() != p.Tile || !tile.In(image.Rect(0, 0, p.Width, p.Height)) {
				t.Fatalf("%+v: tile %d is %v", p, i, tile)
			}
			for y := tile.Min.Y; y < tile.Max.Y; y++ {
				for x := tile.Min.X; x < tile.Max.X; x++ {
					covered[y*p.Width+x] = true
				}
			}
		}
		for i, in := range covered {
			if !in {
				t.Fatalf("%+v: no tile has pixel (%d, %d)", p, i%p.Width, i/p.Width)
			}
		}
	}
}

func TestPlans(t *testing.T) {
	for _, c := range []struct {
		o             Options
		width, height int
		tile          image.Point
		columns, rows int
	}{
		{Options{}, 5000, 5000, image.Pt(5000, 5000), 1, 1},
		{Options{Size: 512, Overlap: 0.25}, 512, 512, image.Pt(512, 512), 1, 1},
		{Options{Size: 512, Overlap: 0.25}, 1, 1, image.Pt(1, 1), 1, 1},
		{Options{Size: 512, Overlap: 0.25}, 512, 50, image.Pt(512, 50), 1, 1},
		{Options{Size: 512, Overlap: 0.25}, 513, 512, image.Pt(512, 512), 2, 1},
		{Options{Size: 512, Overlap: 0.25}, 512 + 2*384, 512, image.Pt(512, 512), 3, 1},
		{Options{Size: 512, Overlap: 0.25}, 20000, 20000, image.Pt(512, 512), 52, 52},
		{Options{Size: 500, Overlap: 0}, 2000, 1000, image.Pt(500, 500), 4, 2},
		{Options{Size: 512, Overlap: 0.25}, 20000, 50, image.Pt(50, 50), 541, 1},
		{Options{Size: 512, Overlap: 0.25}, 1, 20000, image.Pt(1, 32), 1, 833},
	} {
		p := c.o.Plan(c.width, c.height)
		if p.Tile != c.tile || len(p.Columns) != c.columns || len(p.Rows) != c.rows || (p.Count() > 1) != c.o.Cut(c.width, c.height) {
			t.Errorf("%+v of %d x %d: tiles %v in %d columns and %d rows", c.o, c.width, c.height, p.Tile, len(p.Columns), len(p.Rows))
		}
	}
}

// Neighbours have at least the wanted overlap in common.
func TestOverlap(t *testing.T) {
	for _, overlap := range []float64{0, 0.1, 0.25, 0.3, 0.5, MostOverlap} {
		for length := 101; length < 600; length++ {
			list := edges(length, 100, overlap)
			for i := 1; i < len(list); i++ {
				if common := list[i-1] + 100 - list[i]; float64(common) < 100*overlap-1e-9 {
					t.Fatalf("overlap %v of %d: tiles at %d and %d", overlap, length, list[i-1], list[i])
				}
			}
		}
	}
}

// The weights are at least 0 and sum to 1 at every value of the blended map.
func TestWeightsSumToOne(t *testing.T) {
	for _, p := range somePlans() {
		for _, size := range []int{1, 14, 112} {
			width, _ := mapSize(p, size)
			sums := make([]float64, width)
			for _, s := range spans(p.Width, p.Tile.X, p.Columns, width, size) {
				for i, sample := range s.samples {
					if sample.weight < 0 || sample.share < 0 || sample.share > 1 || sample.first < 0 || sample.second >= size {
						t.Fatalf("%+v, maps of %d: %+v", p, size, sample)
					}
					sums[s.begin+i] += float64(sample.weight)
				}
			}
			for i, sum := range sums {
				if math.Abs(sum-1) > 1e-6 {
					t.Fatalf("%+v, maps of %d: the weights at value %d sum to %v", p, size, i, sum)
				}
			}
		}
	}
}

// blended blends tile maps whose values are those of f at their centers' places in the picture.
func blended(p Plan, size int, f func(x, y float64) float64) *anomalymap.Map {
	b := NewBlend(p, size)
	for i := range p.Count() {
		tile := p.At(i)
		m := &anomalymap.Map{Width: size, Height: size}
		for y := range size {
			for x := range size {
				m.Scores = append(m.Scores, float32(f(
					float64(tile.Min.X)+(float64(x)+0.5)*float64(p.Tile.X)/float64(size),
					float64(tile.Min.Y)+(float64(y)+0.5)*float64(p.Tile.Y)/float64(size))))
			}
		}
		b.Add(i, m)
	}
	return b.Map()
}

// farthest returns the largest difference of a map from f.
func farthest(p Plan, m *anomalymap.Map, f func(x, y float64) float64) float64 {
	worst := 0.0
	for i, value := range m.Scores {
		x := (float64(i%m.Width) + 0.5) * float64(p.Width) / float64(m.Width)
		y := (float64(i/m.Width) + 0.5) * float64(p.Height) / float64(m.Height)
		worst = max(worst, math.Abs(float64(value)-f(x, y)))
	}
	return worst
}

// A constant stays that constant, bit for bit.
func TestConstantStays(t *testing.T) {
	for _, p := range somePlans() {
		for _, constant := range []float32{0, 0.1, 1. / 3, 1} {
			for _, value := range blended(p, 14, func(float64, float64) float64 { return float64(constant) }).Scores {
				if value != constant {
					t.Fatalf("%+v: %v of %v", p, value, constant)
				}
			}
		}
	}
}

// Tile maps that are parts of one map give that map back: a ramp, and a smooth map. Only
// beyond the outermost centers of a tile its edge value is repeated.
func TestPartsOfOneMapGiveItBack(t *testing.T) {
	for _, p := range somePlans() {
		const size = 56
		step := max(float64(p.Tile.X), float64(p.Tile.Y)) / size // pixels between two values of a tile's map
		ramp := func(x, y float64) float64 { return (x + 2*y) / 4000 }
		if worst := farthest(p, blended(p, size, ramp), ramp); worst > 3.0/4000*step/2+1e-6 {
			t.Errorf("%+v: a ramp differs by %v", p, worst)
		}
		const period = 200.0 // pixels
		smooth := func(x, y float64) float64 { return 0.5 + 0.2*math.Sin(x/period) + 0.2*math.Cos(y/period) }
		if worst := farthest(p, blended(p, size, smooth), smooth); worst > 0.4/period*step/2+1e-6 {
			t.Errorf("%+v: a smooth map differs by %v", p, worst)
		}
	}
}

// Where one tile alone covers the picture, the map has its values, and a single tile's map is
// that of the picture.
func TestOneTileKeepsItsValues(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	p := Options{Size: 64, Overlap: 0.25}.Plan(64+48, 64)
	b := NewBlend(p, 64)
	var maps [2]*anomalymap.Map
	for i := range maps {
		maps[i] = &anomalymap.Map{Width: 64, Height: 64}
		for range 64 * 64 {
			maps[i].Scores = append(maps[i].Scores, random.Float32())
		}
		b.Add(i, maps[i])
	}
	got := b.Map()
	if got.Width != p.Width || got.Height != p.Height {
		t.Fatalf("%d x %d values", got.Width, got.Height)
	}
	for y := range 64 {
		for x := range 48 {
			if left, want := got.Scores[y*got.Width+x], maps[0].Scores[y*64+x]; left != want {
				t.Fatalf("(%d, %d) is %v, the left tile has %v", x, y, left, want)
			}
			if right, want := got.Scores[y*got.Width+64+x], maps[1].Scores[y*64+16+x]; right != want {
				t.Fatalf("(%d, %d) is %v, the right tile has %v", 64+x, y, right, want)
			}
		}
	}
}

// Two tiles that differ by one everywhere meet without a step.
func TestNoSeam(t *testing.T) {
	p := Options{Size: 64, Overlap: 0.25}.Plan(64+48, 64)
	b := NewBlend(p, 64)
	for i := range 2 {
		part := &anomalymap.Map{Width: 64, Height: 64, Scores: make([]float32, 64*64)}
		for at := range part.Scores {
			part.Scores[at] = float32(i)
		}
		b.Add(i, part)
	}
	m := b.Map()
	const fade = 16 // pixels in common
	for x := 1; x < m.Width; x++ {
		if step := m.Scores[x] - m.Scores[x-1]; step < 0 || step > 1.0/fade+1e-6 {
			t.Errorf("from %d to %d the map changes by %v", x-1, x, step)
		}
	}
	if m.Scores[0] != 0 || m.Scores[m.Width-1] != 1 {
		t.Errorf("from %v to %v", m.Scores[0], m.Scores[m.Width-1])
	}
}

// The number of values is bounded, and has the picture's proportions.
func TestMapSize(t *testing.T) {
	for _, c := range []struct{ width, height, tile, size, wantWidth, wantHeight int }{
		{4000, 3000, 500, 112, 896, 672},
		{4000, 3000, 56, 112, 4000, 3000}, // never more than one value per pixel
		{20000, 20000, 518, 518, 4096, 4096},
		{20000, 50, 512, 112, 20000, 50},
		{100_000_000, 1, 512, 112, MostValues, 1},
	} {
		p := Options{Size: c.tile, Overlap: 0}.Plan(c.width, c.height)
		if width, height := mapSize(p, c.size); width != c.wantWidth || height != c.wantHeight {
			t.Errorf("%+v: %d x %d", c, width, height)
		}
	}
	for _, p := range somePlans() {
		p.Width *= 1000 // the tiles stay as they are
		if width, height := mapSize(p, 518); width < 1 || height < 1 || width*height > MostValues {
			t.Errorf("%d x %d: %d x %d values", p.Width, p.Height, width, height)
		}
	}
}
