package anomalyclip

import (
	"context"
	"fmt"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/prompt"
)

// TestGolden compares with the released code's numbers step by step: pictures, positions,
// both towers, maps and scores.
func TestGolden(t *testing.T) {
	goldens(t, func(t *testing.T, name string) {
		want := golden.Open(t, name+".safetensors")
		compareInference(t, want, goldenRecipe(t, name, want))
		compareTraining(t, want, goldenRecipe(t, name, want))
		want.AllUsed(t, "in.picture_mask.") // masks are resized before they reach a method
	})
}

func compareInference(t testing.TB, want *golden.Tensors, r recipe) {
	err := with(t, r, func(s *torch.Scope, m *Model) error {
		pictures := comparePictures(t, s, want, m)
		return s.Inference(func() error {
			want.Relative(t, "position", m.clip.Vision.PositionEmbedding().Float32s(), 1e-5)
			text, err := compareText(t, s, want, m)
			if err != nil {
				return err
			}
			compareVision(t, s, want, m, pictures)
			compareMaps(t, s, want, m, pictures, text)
			return compareScores(t, s, want, m, pictures)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func tensor(s *torch.Scope, v golden.Values) torch.Tensor {
	return s.FromFloat32(v.Float32(), v.Shape...)
}

// comparePictures compares the resized and normalised pictures and returns the golden ones.
func comparePictures(t testing.TB, s *torch.Scope, want *golden.Tensors, m *Model) torch.Tensor {
	var pixels []uint8
	size := m.imageSize()
	for b := range want.Take(t, "in.image").Shape[0] {
		from := want.Take(t, fmt.Sprint("in.picture.", b))
		im := picture.NewImage(int(from.Shape[1]), int(from.Shape[0]))
		for i, value := range from.Data {
			im.Pix[i] = uint8(value)
		}
		pixels = append(pixels, im.ResizeBicubic(size, size).Pix...)
	}
	side := int64(size)
	ours := model.Normalize(s, s.FromUint8(pixels, int64(len(pixels))/(side*side*3), side, side, 3), m.Input())
	want.Relative(t, "in.image", ours.Float32s(), 1e-5)
	return tensor(s, want.Take(t, "in.image"))
}

// compareText returns T [1, 2, E].
func compareText(t testing.TB, s *torch.Scope, want *golden.Tensors, m *Model) (torch.Tensor, error) {
	raw, err := m.embedPrompts(context.Background(), s, func(block int, x torch.Tensor) {
		want.Relative(t, fmt.Sprint("text.hidden.", block), x.Float32s(), 1e-5)
	})
	if err != nil {
		return torch.Tensor{}, err
	}
	want.Relative(t, "text.raw", raw.Float32s(), 1e-5)
	text, err := m.textFeatures(context.Background(), s)
	if err != nil {
		return torch.Tensor{}, err
	}
	want.Relative(t, "text.features", text.Float32s(), 1e-5)
	return text.Reshape(1, prompt.States, -1), nil
}

func compareVision(t testing.TB, s *torch.Scope, want *golden.Tensors, m *Model, pictures torch.Tensor) {
	tower := m.clip.Vision
	m.walk(s, pictures, tower.Depth, func(block int, original, tap torch.Tensor) {
		if block == m.options.VVFrom {
			want.Relative(t, "visual.vv.first", tap.Float32s(), 1e-5)
		}
		for n, level := range m.options.Levels {
			if level == block {
				want.Relative(t, fmt.Sprint("visual.tap.", n), tap.Float32s(), 1e-5)
				want.Relative(t, fmt.Sprint("patch.raw.", n), tower.Head(tap).Float32s(), 1e-5)
			}
		}
		if block == tower.Depth {
			want.Relative(t, "visual.plain.last", original.Float32s(), 1e-5)
			want.Relative(t, "image.raw", tower.Project(original.Narrow(1, 0, 1)).Float32s(), 1e-5)
		}
	})
}

func compareMaps(t testing.TB, s *torch.Scope, want *golden.Tensors, m *Model, pictures, text torch.Tensor) {
	seen := m.see(s, pictures)
	for n, level := range seen.levels {
		want.Relative(t, fmt.Sprint("similarity.", n), m.similarity(level, text).Float32s(), 1e-5)
		want.Absolute(t, fmt.Sprint("map.level.", n), m.levelMap(level, text).Float32s(), 5e-6)
	}
	want.Absolute(t, "map.sum", m.sum(s, seen, text).Float32s(), 5e-6*float64(len(seen.levels)))
}

func compareScores(t testing.TB, s *torch.Scope, want *golden.Tensors, m *Model, pictures torch.Tensor) error {
	ctx, classOf := context.Background(), make([]int, pictures.Dim(0))
	for i := range classOf {
		classOf[i] = i % 2
	}
	ready, err := m.Prepare(ctx, s, domain.Classes{Prompts: []string{"nut", "bolt"}, Domain: domain.Industrial})
	if err != nil {
		return err
	}
	scores, err := m.Score(s, pictures, classOf, ready)
	if err != nil {
		return err
	}
	levels := float64(len(m.options.Levels))
	want.Absolute(t, "map.smooth", scores.Maps.MulScalar(levels).Float32s(), 5e-6*levels)
	want.Relative(t, "score", scores.Image.Float32s(), 1e-5)
	want.Relative(t, "score", scores.ClassProbabilities.Float32s(), 1e-5)
	return nil
}
