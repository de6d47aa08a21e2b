package acdclip

import (
	"acdclip/pkg/model/prompt"
	"context"
	"fmt"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
)

// TestGoldenReleased compares with the released code's numbers step by step: adapters,
// groups, tokens, text, gates, maps, scores, and the gradients of the first loss.
func TestGoldenReleased(t *testing.T) {
	golden.MustHold(t, "released_n*.safetensors")
	for _, n := range []int{2, 3, 4, 6} {
		file, adapters := fmt.Sprintf("released_n%d.safetensors", n), fmt.Sprintf("released_n%d_adapter_1.pth", n)
		for _, clip := range clips {
			t.Run(fmt.Sprintf("n%d/%s", n, clip), func(t *testing.T) {
				golden.Run(t, []string{file, adapters, clip}, func(t *testing.T, f golden.Folder) {
					compareReleased(t, f, file, adapters, clip)
				})
			})
		}
	}
}

func compareReleased(t *testing.T, f golden.Folder, file, adapters, clip string) {
	want := golden.Open(t, f.File(file))
	r := releasedRecipe(t, f, clip, adapters, number(t, want, "image_size"))
	if r.options.Groups != number(t, want, "n_groups") || r.options.Adapter.Hidden != number(t, want, "hidden") {
		t.Errorf("the adapters' shapes say N %d and hidden %d", r.options.Groups, r.options.Adapter.Hidden)
	}
	_, name, _ := strings.Cut(want.Metadata["class"], " = ")
	r.train = true
	err := with(t, r, func(s *torch.Scope, m *Model) error {
		picture := want.Take(t, "in.image")
		pictures := s.FromFloat32(picture.Float32(), picture.Shape...)
		want.Absolute(t, "pos_embed.resized", m.clip.Vision.PositionEmbedding().Float32s(), 1e-6)
		if err := s.NoGrad(func() error { return compareReleasedForward(t, s, m, want, pictures, name) }); err != nil {
			return err
		}
		return compareReleasedGradients(t, s, m, want, pictures, name)
	})
	if err != nil {
		t.Fatal(err)
	}
	want.AllUsed(t, "after3.") // pkg/training's test takes three steps
}

func compareReleasedForward(t *testing.T, s *torch.Scope, m *Model, want *golden.Tensors, pictures torch.Tensor, name string) error {
	levels, _ := m.encodeImage(s, pictures, func(i int, delta, tokens torch.Tensor) {
		want.Relative(t, fmt.Sprintf("visual.adapter.%d", i), delta.Float32s(), 1e-5)
		want.Relative(t, fmt.Sprintf("visual.group.%d", i), tokens.Float32s(), 1e-5)
	})
	var segmentation, detection []torch.Tensor
	for _, level := range levels {
		segmentation, detection = append(segmentation, level.segmentation), append(detection, level.detection)
	}
	want.Relative(t, "seg.tokens", torch.Stack(0, segmentation...).Float32s(), 1e-5)
	want.Relative(t, "det.tokens", torch.Stack(0, detection...).Float32s(), 1e-5)

	classOf := make([]int, pictures.Dim(0))
	for of, suffix := range map[domain.Domain]string{domain.Industrial: "industrial", domain.Medical: "medical"} {
		ready, err := m.Prepare(context.Background(), s, domain.Classes{Prompts: []string{name}, Domain: of})
		if err != nil {
			return err
		}
		want.Relative(t, "text.features", ready.(prompt.Features).Text.Float32s(), 1e-5)
		scores, err := m.Score(s, pictures, classOf, ready)
		if err != nil {
			return err
		}
		want.Absolute(t, "map.test."+suffix, scores.Maps.Float32s(), 5e-6)
		want.Relative(t, "score."+suffix, scores.Image.Float32s(), 1e-5)

		text, err := ready.(prompt.Features).Choose(s, classOf)
		if err != nil {
			return err
		}
		out := m.forward(s, pictures, text, noSmoothing)
		want.Relative(t, "cls.logits", out.logits.Float32s(), 1e-5)
		want.Absolute(t, "map.train", out.maps.Float32s(), 5e-6)
		for i, level := range out.levels {
			want.Relative(t, fmt.Sprintf("dfg.gate.%d.logits", i), level.gate.Float32s(), 1e-5)
		}
	}
	return nil
}

func compareReleasedGradients(t *testing.T, s *torch.Scope, m *Model, want *golden.Tensors, pictures torch.Tensor, name string) error {
	loss, err := m.Loss(context.Background(), s, goldenBatch(t, s, want, pictures, name))
	if err != nil {
		return err
	}
	// Columns: ce, focal, dice of the normal and of the abnormal map, total.
	losses := want.Take(t, "losses").Data[:5]
	var got []float32
	for _, part := range loss.Parts {
		got = append(got, float32(part.Value.Item()))
	}
	got = append(got, float32(loss.Total.Item()))
	for i := range losses {
		if difference := golden.Worst(got[i:i+1], losses[i:i+1]); !(difference <= 1e-5*losses[i]) {
			t.Errorf("loss column %d: got %g, want %g", i, got[i], losses[i])
		}
	}
	loss.Total.Backward()
	compareGradients(t, m, want, func(golden string) string {
		own, known := options.OwnName(golden)
		if !known {
			t.Errorf("the released name %s is unknown", golden)
		}
		return own
	})
	return nil
}

// goldenBatch is the batch of a golden file, one class.
func goldenBatch(t testing.TB, s *torch.Scope, want *golden.Tensors, pictures torch.Tensor, name string) model.Batch {
	mask, label := want.Take(t, "in.mask"), want.Take(t, "in.label")
	b := model.Batch{
		Pictures: pictures, Masks: s.FromFloat32(mask.Float32(), mask.Shape[0], mask.Shape[2], mask.Shape[3]),
		ClassOf: make([]int, len(label.Data)), Classes: cliptest.Industrial(name),
	}
	for _, value := range label.Data {
		b.Labels = append(b.Labels, int64(value))
	}
	return b
}

// compareGradients compares every parameter's gradient; own translates a golden name.
func compareGradients(t testing.TB, m *Model, want *golden.Tensors, own func(string) string) {
	t.Helper()
	gradients := map[string][]float32{}
	for _, p := range m.parameters {
		if grad, found := p.Tensor.Grad(); found {
			gradients[p.Name] = grad.Float32s()
		}
	}
	for _, name := range want.Names("grad.") {
		ours := own(strings.TrimPrefix(name, "grad."))
		want.Relative(t, name, gradients[ours], 1e-4)
		delete(gradients, ours)
	}
	for name := range gradients {
		t.Errorf("parameter %s has a gradient and the golden file has none", name)
	}
}
