package adaclip

import (
	"fmt"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
)

func TestLargest(t *testing.T) {
	values := []float32{1, 3, 2, 3, -1, 2}
	if got := largest(values, 4); !slices.Equal(got, []int64{1, 3, 2, 5}) {
		t.Errorf("%v", got)
	}
	if got := largest(values, 100); !slices.Equal(got, []int64{1, 3, 2, 5, 0, 4}) {
		t.Errorf("all: %v", got)
	}
}

// TestWeights leaves cluster 1, which is empty, out of the mean.
func TestWeights(t *testing.T) {
	c := clusters{places: []int64{4, 0, 2}, labels: []int{0, 2, 2}}
	if got := c.weights(5); !slices.Equal(got, []float32{0.25, 0, 0.25, 0, 0.5}) {
		t.Errorf("%v", got)
	}
}

// TestClusterFeature compares with the mean of the clusters' means, written out.
func TestClusterFeature(t *testing.T) {
	err := with(t, tiny(), func(s *torch.Scope, _ *Model) error {
		patches := []torch.Tensor{
			s.FromFloat32([]float32{1, 0, 0, 1, 2, 2}, 1, 3, 2), s.FromFloat32([]float32{3, 0, 0, 3, 4, 4}, 1, 3, 2),
		}
		got := clusterFeature(s, patches, []clusters{{places: []int64{2, 0, 1}, labels: []int{0, 1, 1}}})
		// Cluster 0: (3, 3); cluster 1: (1, 1); the mean is (2, 2).
		golden.Near(t, "feature", got.Float32s(), []float32{0.70710678, 0.70710678}, 1e-6)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestFewPatches has fewer patches than clusters, down to one patch.
func TestFewPatches(t *testing.T) {
	for _, size := range []int{7, 14, 21} {
		r := tiny()
		r.options.ImageSize, r.options.HSF.Clusters = size, 20
		err := with(t, r, func(s *torch.Scope, m *Model) error {
			batch := cliptest.Batch(s, m.imageSize())
			seen := m.encodeImage(s, m.clip.Vision.Embed(batch.Pictures), m.visionTokens.dynamic(m.frozenClass(s, m.clip.Vision.Embed(batch.Pictures))), nil)
			mean := seen.patches[0].Narrow(2, 0, 2)
			for _, c := range m.clusterPatches(s, seen.patches, mean) {
				labels := slices.Sorted(slices.Values(c.labels))
				if len(slices.Compact(labels)) != size*size/49 {
					t.Errorf("%d px: clusters %v", size, c.labels)
				}
			}
			return exercise(t, s, m)
		})
		if err != nil {
			t.Errorf("%d px: %v", size, err)
		}
	}
}

// TestWeightOfFusion blends by the weight: 0 is the class embedding alone, and 1 the
// cluster feature alone.
func TestWeightOfFusion(t *testing.T) {
	for _, weight := range []float64{0, 0.2, 0.7, 1} {
		t.Run(fmt.Sprint(weight), func(t *testing.T) {
			r := tiny()
			r.options.HSF.Weight = weight
			err := with(t, r, func(s *torch.Scope, m *Model) error {
				batch := cliptest.Batch(s, m.imageSize())
				embedded := m.clip.Vision.Embed(batch.Pictures)
				seen := m.encodeImage(s, embedded, m.visionTokens.dynamic(m.frozenClass(s, embedded)), nil)
				class, mean := m.unitClass(seen.class), seen.patches[0].Narrow(2, 0, 2)
				h := clusterFeature(s, seen.patches, m.clusterPatches(s, seen.patches, mean)).Float32s()
				c := class.Float32s()
				want := make([]float32, len(h))
				for i := range want {
					want[i] = float32(weight)*h[i] + float32(1-weight)*c[i]
				}
				unit := s.FromFloat32(want, class.Shape()...).Normalize(-1)
				golden.Near(t, "feature", m.imageFeature(s, class, seen.patches, mean).Float32s(), unit.Float32s(), 1e-6)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestScoresDoNotDependOnOthers: clustering starts anew for every picture.
func TestScoresDoNotDependOnOthers(t *testing.T) {
	err := with(t, tiny(), func(s *torch.Scope, m *Model) error {
		one := cliptest.Single(cliptest.Batch(s, m.imageSize()), 0)
		var scores []float32
		for range 2 {
			found, err := prepareAndScore(s, m, one)
			if err != nil {
				return err
			}
			scores = append(scores, found.Image.Float32s()...)
		}
		if scores[0] != scores[1] {
			t.Errorf("a second run scores %v instead of %v", scores[1], scores[0])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
