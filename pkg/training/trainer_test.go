package training

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/drawn"
	"acdclip/pkg/config"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
)

// bent is a method whose losses a test changes.
type bent struct {
	model.Trainable
	calls int
	bend  func(call int, loss torch.Tensor) torch.Tensor
}

func (b *bent) Loss(ctx context.Context, s *torch.Scope, batch model.Batch) (model.Loss, error) {
	loss, err := b.Trainable.Loss(ctx, s, batch)
	if err == nil {
		b.calls++
		loss.Total = b.bend(b.calls, loss.Total)
	}
	return loss, err
}

// one is a method with one parameter, whose loss is the sum of its squares.
type one struct {
	model.Trainable
	x torch.Tensor
}

func (o one) Groups() []model.ParameterGroup {
	return []model.ParameterGroup{{Side: model.VisionSide, Parameters: []model.Parameter{{Name: "x", Tensor: o.x}}}}
}

func (o one) LimitGradients() {}

func (o one) Loss(context.Context, *torch.Scope, model.Batch) (model.Loss, error) {
	return model.Loss{Total: o.x.Pow(2).Sum()}, nil
}

// TestStepKeepsWhatIsNotFiniteOut checks that a loss or gradient that is not finite changes neither parameters nor optimiser.
func TestStepKeepsWhatIsNotFiniteOut(t *testing.T) {
	rt, err := torch.Open(torch.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	recipe := config.Train{LR: config.LR{Text: 0.1, Vision: 0.1}, LRDecay: 1, Beta1: config.AdamBeta1}
	err = rt.Do(t.Context(), func(s *torch.Scope) error {
		for name, bend := range map[string]func(x, loss torch.Tensor) torch.Tensor{
			"a loss that is NaN":      func(_, loss torch.Tensor) torch.Tensor { return loss.MulScalar(math.NaN()) },
			"an infinite loss":        func(_, loss torch.Tensor) torch.Tensor { return loss.MulScalar(math.Inf(1)) },
			"an infinite gradient":    func(x, loss torch.Tensor) torch.Tensor { return loss.Add(x.AddScalar(-1).Pow(0.5).Sum()) },
			"a gradient that is NaN":  func(x, loss torch.Tensor) torch.Tensor { return loss.Add(x.AddScalar(-1).Pow(0.5).MulScalar(0).Sum()) },
			"a gradient out of range": func(_, loss torch.Tensor) torch.Tensor { return loss.MulScalar(1e30) },
		} {
			x := s.FromFloat32([]float32{1}, 1)
			x.RequireGrad(true)
			method := &bent{Trainable: one{x: x}}
			trainer := NewTrainer(s, method, recipe)
			method.bend = func(_ int, loss torch.Tensor) torch.Tensor { return bend(x, loss) }
			before := trainer.adam.State()
			if _, _, err := trainer.Step(t.Context(), s, model.Batch{Labels: []int64{0}}); !errors.Is(err, ErrNotFinite) {
				t.Errorf("%s: %v", name, err)
			}
			if x.Item() != 1 || trainer.Moves() != 0 || !reflect.DeepEqual(trainer.adam.State(), before) {
				t.Errorf("%s moved x to %g, optimiser %+v", name, x.Item(), trainer.adam.State())
			}
			method.bend = func(_ int, loss torch.Tensor) torch.Tensor { return loss }
			loss, _, err := trainer.Step(t.Context(), s, model.Batch{Labels: []int64{0}})
			if err != nil || loss != 1 || math.Abs(x.Item()-0.9) > 1e-6 || trainer.Moves() != 1 {
				t.Errorf("after %s a sound step: %v, loss %g, x %g", name, err, loss, x.Item())
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAccumulate checks that several batches give the loss and gradient of one large batch.
func TestAccumulate(t *testing.T) {
	for _, preset := range []string{"paper", "released"} {
		o := short(t, drawn.Set(t, synth.Textures), "preset="+preset, "model.image_size=56", "model.fusion.smoothing=none", "model.groups=2")
		r, err := newRun(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer r.backbone.Close()
		var pictures []pixels.Picture
		for picture := range pixels.Load(context.Background(), r.Set.Items, r.loading()) {
			pictures = append(pictures, picture)
		}
		// The parameters do not change; only their gradients are compared.
		r.trainer.adam.ScaleRates(0)
		gradients := func(sizes ...int) (loss float64, parts events.Values, all [][]float32) {
			err := r.backbone.Runtime.Do(context.Background(), func(s *torch.Scope) (err error) {
				var batches []model.Batch
				at := 0
				for _, size := range sizes {
					batches = append(batches, r.batch(s, pictures[at:at+size]))
					at += size
				}
				loss, parts, err = r.trainer.Step(context.Background(), s, batches...)
				for _, p := range r.trainer.adam.Parameters() {
					grad, _ := p.Grad()
					all = append(all, grad.Float32s())
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return loss, parts, all
		}
		wantLoss, wantParts, want := gradients(4)
		for _, sizes := range [][]int{{2, 2}, {3, 1}, {1, 1, 1, 1}} {
			loss, parts, got := gradients(sizes...)
			if math.Abs(loss-wantLoss) > 1e-5*wantLoss {
				t.Errorf("%s, batches of %v: loss %.8f, want %.8f", preset, sizes, loss, wantLoss)
			}
			for i, part := range parts {
				if part.Name != wantParts[i].Name || math.Abs(part.Value-wantParts[i].Value) > 1e-5 {
					t.Errorf("%s, batches of %v: %v, want %v", preset, sizes, part, wantParts[i])
				}
			}
			for i := range want {
				if difference, largest := compared(got[i], want[i]); difference > 1e-4*largest+1e-9 {
					t.Errorf("%s, batches of %v: a gradient differs by %g of at most %g", preset, sizes, difference, largest)
				}
			}
		}
	}
}

// compared returns the largest difference and the largest value.
func compared(got, want []float32) (difference, largest float64) {
	for i := range want {
		difference = max(difference, math.Abs(float64(got[i]-want[i])))
		largest = max(largest, math.Abs(float64(want[i])))
	}
	return difference, largest
}

// TestTrainAtNumbersThatAreNotFinite checks that training stops and says where, or skips and counts the step.
func TestTrainAtNumbersThatAreNotFinite(t *testing.T) {
	train := func(bad []int, settings ...string) (log *memoryLog, o Options, warnings []string, err error) {
		o = short(t, drawn.Set(t, synth.Textures), append([]string{"train.epochs=2", "train.batch=4"}, settings...)...)
		log = &memoryLog{}
		*logOf(o) = log
		o.Emit = func(event events.Event) {
			if warning, ok := event.(events.Warning); ok {
				warnings = append(warnings, warning.Text)
			}
		}
		r, err := newRun(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer r.backbone.Close()
		r.trainer.method = &bent{Trainable: r.method, bend: func(call int, loss torch.Tensor) torch.Tensor {
			if slices.Contains(bad, call) {
				return loss.MulScalar(math.NaN())
			}
			return loss
		}}
		err = r.train(context.Background())
		return log, o, warnings, err
	}
	named := func(text string) bool {
		return strings.Contains(text, "step 2, class wood_grain, woven_fabric, pictures ") && strings.Contains(text, ".png") && strings.Contains(text, "the loss is NaN")
	}
	_, o, _, err := train([]int{2})
	if !errors.Is(err, ErrNotFinite) || !named(err.Error()) {
		t.Errorf("got %v", err)
	}
	if place := readState(t, o).Place; place.Step != 1 {
		t.Errorf("the state is that of step %d", place.Step)
	}
	log, _, warnings, err := train([]int{2}, "train.skip_nonfinite=true")
	if err != nil || len(warnings) != 1 || !named(warnings[0]) {
		t.Errorf("%v, warnings %q", err, warnings)
	}
	text := strings.Join(log.lines, "")
	if len(log.lines) != 7 || strings.Count(text, `"skipped_steps":1`) != 1 || strings.Contains(text, `"step":2,`) {
		t.Errorf("the log is\n%s", text)
	}
	if _, _, _, err := train([]int{4, 5, 6}, "train.skip_nonfinite=true"); !errors.Is(err, ErrNotFinite) || !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "epoch 2: in all 3 steps") {
		t.Errorf("with no sound step: %v", err)
	}
	// Ten skipped steps in a row end the training, wherever they are.
	slow := []string{"train.skip_nonfinite=true", "train.batch=1"} // ten steps per epoch
	if _, _, _, err := train([]int{2, 3, 4, 5, 6, 7, 8, 9, 10}, slow...); err != nil {
		t.Errorf("nine in a row: %v", err)
	}
	if _, o, _, err = train([]int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, slow...); !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "for the 10th step in a row") {
		t.Errorf("ten in a row: %v", err)
	}
	if place := readState(t, o).Place; place.Step != 9 || place.Sums.SkippedInRow != 9 {
		t.Errorf("the state is %+v", place)
	}
}

// TestLearnedStepBeginsTheCountAnew checks that nine skipped steps, one learned step and nine skipped steps do not end a run.
func TestLearnedStepBeginsTheCountAnew(t *testing.T) {
	set := *drawn.Set(t, synth.Textures)
	set.Items = slices.Concat(set.Items, set.Items) // 20 steps per epoch
	o, log := short(t, &set, "train.epochs=1", "train.batch=1", "train.skip_nonfinite=true"), &memoryLog{}
	*logOf(o) = log
	r, err := newRun(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.backbone.Close()
	r.trainer.method = &bent{Trainable: r.method, bend: func(call int, loss torch.Tensor) torch.Tensor {
		if call%10 != 0 {
			return loss.MulScalar(math.NaN())
		}
		return loss
	}}
	err = r.train(context.Background())
	if text := strings.Join(log.lines, ""); err != nil || !strings.Contains(text, `"skipped_steps":18`) {
		t.Errorf("%v, the log is\n%s", err, text)
	}
}
