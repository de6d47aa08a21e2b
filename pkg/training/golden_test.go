package training

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/methods"
)

// TestGoldenTraining repeats three steps of the released code with Trainer.Step, and
// compares every loss and the final parameters.
func TestGoldenTraining(t *testing.T) {
	for _, n := range []int{2, 3, 4, 6} {
		file, adapters := fmt.Sprintf("released_n%d.safetensors", n), fmt.Sprintf("released_n%d_adapter_1.pth", n)
		t.Run(fmt.Sprintf("n%d", n), func(t *testing.T) {
			golden.Run(t, []string{file, adapters, "clip_tiny_openai.pt"}, func(t *testing.T, f golden.Folder) {
				compareTraining(t, golden.Open(t, f.File(file)), f.File(adapters), f.File("clip_tiny_openai.pt"))
			})
		})
	}
}

func compareTraining(t *testing.T, want *golden.Tensors, adapters, clip string) {
	c, err := openCheckpoint(adapters)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	own := c.Metadata.Model.(*options.Model)
	if own.ImageSize, err = strconv.Atoi(want.Metadata["image_size"]); err != nil {
		t.Fatal(err)
	}
	cfg := load(t, "preset=released", "device=cpu", "threads=1", "clip="+clip).Config
	row, err := methods.All().Find(c.Metadata.Method)
	if err != nil {
		t.Fatal(err)
	}
	b, err := detect.OpenBackbone(context.Background(), detect.Training, row, cfg, own, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	method, err := b.Trainable(model.Options{Model: own, Loss: c.Metadata.Loss, Values: c})
	if err != nil {
		t.Fatal(err)
	}
	losses := want.Take(t, "losses")
	columns := int(losses.Shape[1])
	err = b.Runtime.Do(context.Background(), func(s *torch.Scope) error {
		trainer := NewTrainer(s, method, cfg.Train)
		for step := range int(losses.Shape[0]) {
			err := s.Within(func(inner *torch.Scope) error {
				loss, parts, err := trainer.Step(context.Background(), inner, goldenBatch(t, inner, want))
				if err == nil {
					compareLosses(t, step, loss, parts, losses.Data[step*columns:(step+1)*columns])
				}
				return err
			})
			if err != nil {
				return err
			}
			if step == 1 {
				trainer.EndEpoch()
			}
		}
		compareParameters(t, want, method)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func goldenBatch(t *testing.T, s *torch.Scope, want *golden.Tensors) model.Batch {
	_, name, _ := strings.Cut(want.Metadata["class"], " = ")
	picture, mask, label := want.Take(t, "in.image"), want.Take(t, "in.mask"), want.Take(t, "in.label")
	b := model.Batch{
		Pictures: s.FromFloat32(picture.Float32(), picture.Shape...),
		Masks:    s.FromFloat32(mask.Float32(), mask.Shape[0], mask.Shape[2], mask.Shape[3]),
		ClassOf:  make([]int, len(label.Data)), Classes: domain.Classes{Prompts: []string{name}, Domain: domain.Industrial},
	}
	for _, value := range label.Data {
		b.Labels = append(b.Labels, int64(value))
	}
	return b
}

// compareLosses compares the columns cross-entropy, focal, dice of both maps, and total.
func compareLosses(t *testing.T, step int, loss float64, parts events.Values, want []float64) {
	t.Helper()
	got := []float64{parts[0].Value, parts[1].Value, parts[2].Value, parts[3].Value, loss}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-5*math.Abs(want[i])) {
			t.Errorf("step %d, loss column %d: got %.9g, want %.9g", step, i, got[i], want[i])
		}
	}
}

func compareParameters(t *testing.T, want *golden.Tensors, method model.Trainable) {
	t.Helper()
	values := map[string][]float32{}
	for _, group := range method.Groups() {
		for _, p := range group.Parameters {
			values[p.Name] = p.Tensor.Float32s()
		}
	}
	var all, off int
	worst := map[bool]float64{}
	for _, name := range want.Names("after3.") {
		own, known := options.OwnName(strings.TrimPrefix(name, "after3."))
		expected := want.Take(t, name)
		if !known || len(values[own]) != len(expected.Data) {
			t.Errorf("%s: no parameter %s of %d values", name, own, len(expected.Data))
			continue
		}
		text := strings.HasPrefix(own, "text.")
		for i, value := range values[own] {
			difference := math.Abs(float64(value) - expected.Data[i])
			worst[text] = max(worst[text], difference)
			if all++; !(difference <= 1e-5) {
				off++
			}
		}
	}
	if !(worst[false] <= 6e-5) || !(worst[true] <= 2e-5) {
		t.Errorf("after three steps: largest differences vision %.3g, text %.3g", worst[false], worst[true])
	}
	if all == 0 || float64(off) > 0.001*float64(all) {
		t.Errorf("after three steps: %d of %d values are off by more than 1e-5", off, all)
	}
	t.Logf("largest differences: vision %.3g, text %.3g; %d of %d values off by more than 1e-5", worst[false], worst[true], off, all)
}
