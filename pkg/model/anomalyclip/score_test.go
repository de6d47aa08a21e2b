package anomalyclip

import (
	"context"
	"math"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/pkg/model"
)

// score scores a batch with its classes prepared.
func score(s *torch.Scope, m *Model, batch model.Batch) (model.Scores, error) {
	ready, err := m.Prepare(context.Background(), s, batch.Classes)
	if err != nil {
		return model.Scores{}, err
	}
	return m.Score(s, batch.Pictures, batch.ClassOf, ready)
}

func TestScoresAreInRange(t *testing.T) {
	for _, temperature := range []float64{0.001, 0.07, 10} {
		r := tinyRecipe(t)
		r.options.Temperature = temperature
		err := with(t, r, func(s *torch.Scope, m *Model) error {
			return s.Inference(func() error {
				scores, err := score(s, m, cliptest.Batch(s, m.imageSize()))
				if err != nil {
					return err
				}
				if !slices.Equal(scores.Maps.Shape(), []int64{3, 35, 35}) || !slices.Equal(scores.Image.Shape(), []int64{3}) {
					t.Errorf("shapes %v, %v", scores.Maps.Shape(), scores.Image.Shape())
				}
				for _, values := range [][]float32{scores.Maps.Float32s(), scores.Image.Float32s(), scores.ClassProbabilities.Float32s()} {
					for _, value := range values {
						if !(value >= 0 && value <= 1) {
							t.Fatalf("temperature %g: a score of %g", temperature, value)
						}
					}
				}
				return nil
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSmallMaps compares a map of 14 x 14 pixels, smaller than the radius 16 of the
// Gaussian, with a direct computation of patches, bilinear resizing and mirrored edges.
func TestSmallMaps(t *testing.T) {
	r := tinyRecipe(t)
	r.options.ImageSize, r.options.Levels = 14, []int{2, 6}
	err := with(t, r, func(s *torch.Scope, m *Model) error {
		const grid, size = 2, 14
		batch := cliptest.Batch(s, m.imageSize())
		text, err := m.textFeatures(context.Background(), s)
		if err != nil {
			return err
		}
		want := make([]float64, 3*size*size)
		for _, level := range m.see(s, batch.Pictures).levels {
			p := m.similarity(level, text.Reshape(1, 2, -1)).Float64s() // [B, L, 2]
			for i := range want {
				b, y, x := i/(size*size), i/size%size, i%size
				for _, row := range bilinear(y, grid, size) {
					for _, column := range bilinear(x, grid, size) {
						want[i] += row.weight * column.weight * p[2*(b*grid*grid+row.index*grid+column.index)+1] / 2
					}
				}
			}
		}
		var smooth []float32
		for b := range 3 {
			for _, value := range smoothed(want[b*size*size:][:size*size], size, 4) {
				smooth = append(smooth, float32(value))
			}
		}
		scores, err := score(s, m, batch)
		if err != nil {
			return err
		}
		golden.Near(t, "map", scores.Maps.Float32s(), smooth, 2e-6)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// smoothed smooths a square map with mirrored edges, columns first.
func smoothed(values []float64, size int, sigma float64) []float64 {
	radius := int(4*sigma + 0.5)
	mirror := func(i int) int {
		for i < 0 || i >= size {
			if i < 0 {
				i = -1 - i
			} else {
				i = 2*size - 1 - i
			}
		}
		return i
	}
	pass := func(at func(line, i int) float64) func(line, i int) float64 {
		return func(line, i int) float64 {
			sum, weights := 0.0, 0.0
			for d := -radius; d <= radius; d++ {
				weight := math.Exp(-float64(d*d) / (2 * sigma * sigma))
				sum, weights = sum+weight*at(line, mirror(i+d)), weights+weight
			}
			return sum / weights
		}
	}
	columns := make([]float64, size*size)
	down := pass(func(x, y int) float64 { return values[y*size+x] })
	for i := range columns {
		columns[i] = down(i%size, i/size)
	}
	along := pass(func(y, x int) float64 { return columns[y*size+x] })
	result := make([]float64, size*size)
	for i := range result {
		result[i] = along(i/size, i%size)
	}
	return result
}

// TestClassesDoNotMatter checks that scores have the same bits for every class, and for
// classes that were prepared one by one.
func TestClassesDoNotMatter(t *testing.T) {
	err := with(t, tinyRecipe(t), func(s *torch.Scope, m *Model) error {
		ctx, batch := context.Background(), cliptest.Batch(s, m.imageSize())
		whole, err := score(s, m, batch)
		if err != nil {
			return err
		}
		var parts []model.Prepared
		for _, class := range []string{"cat", "dog", "bird"} {
			part, err := m.Prepare(ctx, s, cliptest.Industrial(class))
			if err != nil {
				return err
			}
			parts = append(parts, part)
		}
		joined, err := m.Join(s, parts)
		if err != nil {
			return err
		}
		other, err := m.Score(s, batch.Pictures, []int{2, 1, 0}, joined)
		if err != nil {
			return err
		}
		if !slices.Equal(whole.Maps.Float32s(), other.Maps.Float32s()) || !slices.Equal(whole.Image.Float32s(), other.Image.Float32s()) {
			t.Error("other classes score to other bits")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
