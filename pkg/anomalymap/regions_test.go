package anomalymap

import (
	"image"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// drawn makes a map of rows of digits, tenths of the score.
func drawn(rows ...string) *Map {
	m := &Map{Width: len(rows[0]), Height: len(rows)}
	for _, row := range rows {
		for _, digit := range row {
			m.Scores = append(m.Scores, float32(digit-'0')/10)
		}
	}
	return m
}

func TestRegions(t *testing.T) {
	for name, c := range map[string]struct {
		m    *Map
		want []Region
	}{
		"none": {drawn("012", "340"), nil},
		"corners touch": {drawn(
			"5000",
			"0600",
			"0000",
			"0009",
		), []Region{{image.Rect(3, 3, 4, 4), 1, 0.9}, {image.Rect(0, 0, 2, 2), 2, 0.6}}},
		"a ring, and what is in it": {drawn(
			"55555",
			"50005",
			"50505",
			"50005",
			"55555",
		), []Region{{image.Rect(0, 0, 5, 5), 16, 0.5}, {image.Rect(2, 2, 3, 3), 1, 0.5}}},
		"rows do not join at the border": {drawn("005", "500"), []Region{{image.Rect(2, 0, 3, 1), 1, 0.5}, {image.Rect(0, 1, 1, 2), 1, 0.5}}},
	} {
		if got := c.m.Regions(0.5); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := (&Map{Width: 1, Height: 1, Scores: []float32{float32(math.NaN())}}).Regions(0.5); got != nil {
		t.Errorf("NaN: %v", got)
	}
}

// TestRegionsCoverTheMask: together the regions have the pixels that reach the threshold,
// the first has the map's maximum, and every box is inside the picture.
func TestRegionsCoverTheMask(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		m := &Map{Width: 1 + random.IntN(20), Height: 1 + random.IntN(20)}
		largest, reaching := float32(0), 0
		for range m.Width * m.Height {
			score := random.Float32()
			m.Scores = append(m.Scores, score)
			largest = max(largest, score)
			if score >= 0.7 {
				reaching++
			}
		}
		pixels := 0
		width, height := 1+random.IntN(5000), 1+random.IntN(5000)
		regions := m.Regions(0.7)
		for _, r := range regions {
			pixels += r.Pixels
			if box := m.BoxIn(r, width, height); box.Empty() || !box.In(image.Rect(0, 0, width, height)) {
				t.Errorf("%v of %d x %d is %v in %d x %d", r, m.Width, m.Height, box, width, height)
			}
		}
		if pixels != reaching || len(regions) > 0 && regions[0].Max != largest {
			t.Errorf("%d pixels in %d regions with %v, want %d with %v", pixels, len(regions), regions[0].Max, reaching, largest)
		}
	}
}

func TestBoxIn(t *testing.T) {
	m := &Map{Width: 10, Height: 10}
	r := Region{Box: image.Rect(1, 2, 3, 4)}
	for size, want := range map[[2]int]image.Rectangle{
		{10, 10}: image.Rect(1, 2, 3, 4), {100, 200}: image.Rect(10, 40, 30, 80), {15, 5}: image.Rect(1, 1, 5, 2), {1, 1}: image.Rect(0, 0, 1, 1),
	} {
		if got := m.BoxIn(r, size[0], size[1]); got != want {
			t.Errorf("%v: %v, want %v", size, got, want)
		}
	}
	wide := &Map{Width: 20, Height: 5}
	if got, want := wide.BoxIn(Region{Box: image.Rect(10, 1, 12, 2)}, 400, 50), image.Rect(200, 10, 240, 20); got != want {
		t.Errorf("of a wide map: %v, want %v", got, want)
	}
}
