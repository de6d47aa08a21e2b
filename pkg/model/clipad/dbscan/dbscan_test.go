package dbscan

import (
	"slices"
	"testing"
)

func TestCluster(t *testing.T) {
	line := func(places ...float32) []float32 { return places }
	for name, c := range map[string]struct {
		points  []float32
		radius  float64
		count   int
		want    []int
		largest []int
	}{
		"one chain":                  {line(0, 1, 2, 3), 1, 2, []int{0, 0, 0, 0}, []int{0, 1, 2, 3}},
		"two groups and noise":       {line(0, 1, 9, 20, 21, 22), 1, 2, []int{0, 0, Noise, 1, 1, 1}, []int{3, 4, 5}},
		"equal groups: the first":    {line(5, 6, 0, 1), 1, 2, []int{0, 0, 1, 1}, []int{0, 1}},
		"a border point of two":      {line(-1, -0.5, 0, 1, 2, 2.5, 3), 1, 4, []int{0, 0, 0, 0, 1, 1, 1}, []int{0, 1, 2, 3}},
		"all noise":                  {line(0, 5, 10), 1, 2, []int{Noise, Noise, Noise}, nil},
		"every point is its own":     {line(0, 5), 1, 1, []int{0, 1}, []int{0}},
		"the radius itself is near":  {line(0, 0.5), 0.5, 2, []int{0, 0}, []int{0, 1}},
		"no points":                  {nil, 1, 1, []int{}, nil},
		"numbered by the first core": {line(1, 0, 0, 0, 9, 9), 1, 2, []int{0, 0, 0, 0, 1, 1}, []int{0, 1, 2, 3}},
	} {
		got := Cluster(c.points, 1, c.radius, c.count)
		if !slices.Equal(got, c.want) || !slices.Equal(Largest(got), c.largest) {
			t.Errorf("%s: labels %v, largest %v; want %v, %v", name, got, Largest(got), c.want, c.largest)
		}
	}
}
