package adaclip

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/adaclip/options"
)

// exact is tiny without float16, so that numbers are continuous.
func exact() recipe {
	r := tiny()
	r.options.PromptTokens, r.loss.DiceOver = options.Float, options.DicePicture
	return r
}

// TestMixedBatch checks that in a batch of two classes each picture has the same scores as
// alone, and that the batch's loss and gradients are the means over the pictures.
func TestMixedBatch(t *testing.T) {
	err := with(t, exact(), func(s *torch.Scope, m *Model) error {
		requireGrad(m)
		batch := cliptest.Batch(s, m.imageSize())
		whole, err := prepareAndScore(s, m, batch)
		if err != nil {
			return err
		}
		for i := range batch.ClassOf {
			alone, err := prepareAndScore(s, m, cliptest.Single(batch, i))
			if err != nil {
				return err
			}
			golden.Near(t, fmt.Sprint("map ", i), whole.Maps.Narrow(0, int64(i), 1).Float32s(), alone.Maps.Float32s(), 2e-5)
			golden.Near(t, fmt.Sprint("score ", i), whole.Image.Narrow(0, int64(i), 1).Float32s(), alone.Image.Float32s(), 2e-5)
		}
		return compareMeanLoss(t, s, m, batch)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func compareMeanLoss(t *testing.T, s *torch.Scope, m *Model, batch model.Batch) error {
	whole, err := m.Loss(context.Background(), s, batch)
	if err != nil {
		return err
	}
	whole.Total.Backward()
	want := takeGradients(m)
	count := float64(len(batch.ClassOf))
	mean := 0.0
	for i := range batch.ClassOf {
		alone, err := m.Loss(context.Background(), s, cliptest.Single(batch, i))
		if err != nil {
			return err
		}
		mean += alone.Total.Item() / count
		alone.Total.MulScalar(1 / count).Backward() // accumulates
	}
	golden.Near(t, "loss", []float32{float32(whole.Total.Item())}, []float32{float32(mean)}, 1e-5)
	for name, gradient := range takeGradients(m) {
		if gradient != nil || want[name] != nil {
			golden.Near(t, "gradient of "+name, gradient, want[name], 1e-3)
		}
	}
	return nil
}

// TestDiceOver checks that a batch of one picture has dice by rows by default, and larger ones by picture.
func TestDiceOver(t *testing.T) {
	losses := map[options.DiceOver][2]float64{}
	for _, over := range []options.DiceOver{options.DiceAuto, options.DiceRows, options.DicePicture} {
		r := tiny()
		r.loss.DiceOver = over
		err := with(t, r, func(s *torch.Scope, m *Model) error {
			batch := cliptest.Batch(s, m.imageSize())
			var found [2]float64
			for i, b := range []model.Batch{cliptest.Single(batch, 0), batch} {
				loss, err := m.Loss(context.Background(), s, b)
				if err != nil {
					return err
				}
				found[i] = loss.Total.Item()
			}
			losses[over] = found
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	auto, rows, picture := losses[options.DiceAuto], losses[options.DiceRows], losses[options.DicePicture]
	if auto != [2]float64{rows[0], picture[1]} || rows[0] == picture[0] || rows[1] == picture[1] {
		t.Errorf("losses of one picture and of three: %v", losses)
	}
}

// TestKeys checks that a picture's class embedding is computed once, and that nothing but
// the number of passes depends on it.
func TestKeys(t *testing.T) {
	err := with(t, tiny(), func(s *torch.Scope, m *Model) error {
		batch := cliptest.Batch(s, m.imageSize())
		var found []float64
		for _, keys := range [][]int{nil, {4, 9, model.NoKey}, {4, 9, 2}} {
			batch.Keys = keys
			loss, err := m.Loss(context.Background(), s, batch)
			if err != nil {
				return err
			}
			found = append(found, loss.Total.Item())
		}
		if kept, _ := m.KeptFeatures(); kept != 3 || found[0] != found[1] || found[1] != found[2] {
			t.Errorf("%d class embeddings are kept; losses %v", kept, found)
		}
		batch.Pictures = batch.Pictures.MulScalar(0) // is not looked at for the class embedding
		kept, err := m.cachedFrozen(context.Background(), s, batch)
		if err == nil && slices.Equal(kept.Float32s(), m.frozenClass(s, m.clip.Vision.Embed(batch.Pictures)).Float32s()) {
			t.Error("the class embedding of a known key was computed again")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestJoin checks that classes prepared one by one, in another order and beside others give
// the same bits as classes prepared together, also after the parts are gone.
func TestJoin(t *testing.T) {
	err := with(t, tiny(), func(s *torch.Scope, m *Model) error {
		batch := cliptest.Batch(s, m.imageSize())
		first, err := prepareAndScore(s, m, batch)
		if err != nil {
			return err
		}
		var joined model.Prepared
		err = s.Within(func(inner *torch.Scope) error {
			var parts []model.Prepared
			for _, name := range []string{cliptest.Classes().Prompts[1], "another, with a very long name", cliptest.Classes().Prompts[0]} {
				part, err := m.Prepare(context.Background(), inner, cliptest.Industrial(name))
				if err != nil {
					return err
				}
				parts = append(parts, part)
			}
			joined, err = m.Join(s, parts)
			return err
		})
		if err != nil {
			return err
		}
		second, err := m.Score(s, batch.Pictures, []int{0, 2, 0}, joined)
		if err != nil {
			return err
		}
		if !slices.Equal(first.Maps.Float32s(), second.Maps.Float32s()) || !slices.Equal(first.Image.Float32s(), second.Image.Float32s()) {
			t.Error("joined classes score to other bits")
		}
		other, err := m.Score(s, batch.Pictures, []int{1, 1, 1}, joined)
		if err != nil {
			return err
		}
		if slices.Equal(first.Image.Float32s(), other.Image.Float32s()) {
			t.Error("another class gives the same scores")
		}
		medical, err := m.Prepare(context.Background(), s, domain.Classes{Prompts: []string{"brain"}, Domain: domain.Medical})
		if err != nil {
			return err
		}
		for says, parts := range map[string][]model.Prepared{"no classes": nil, "domains": {joined, medical}, "another method": {joined, "text"}} {
			if _, err := m.Join(s, parts); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v", says, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestScoreKeepsLittle checks that only the results of Score and Loss stay in the caller's scope.
func TestScoreKeepsLittle(t *testing.T) {
	err := with(t, tiny(), func(s *torch.Scope, m *Model) error {
		batch := cliptest.Batch(s, m.imageSize())
		ready, err := m.Prepare(context.Background(), s, batch.Classes)
		if err != nil {
			return err
		}
		before := torch.LiveHandles()
		if _, err := m.Score(s, batch.Pictures, batch.ClassOf, ready); err != nil {
			return err
		}
		if kept := torch.LiveHandles() - before; kept != 2 {
			t.Errorf("%d tensors are kept, want the maps and the scores", kept)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
