package detect

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/scoring"
	"acdclip/pkg/trained"
)

// own returns the options of a Detector on the golden CLIP and adapters.
func own(t *testing.T) Options {
	t.Helper()
	folder := filepath.Join(golden.Root(), "testdata", "golden")
	return Options{
		Methods: methods.All(), Checkpoint: filepath.Join(folder, "released_n2_adapter_1.pth"), Emit: func(events.Event) {},
		Config: load(t, "device=cpu", "threads=1", "model.image_size=98", "clip="+filepath.Join(folder, "clip_tiny_openai.pt")),
	}
}

func open(t *testing.T) *Detector {
	t.Helper()
	d, err := Open(t.Context(), own(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestDetectorNeedsCLIP(t *testing.T) {
	o := own(t)
	o.Config = load(t)
	if _, err := Open(t.Context(), o); !errors.Is(err, trained.ErrNoCLIP) {
		t.Errorf("got %v, want ErrNoCLIP", err)
	}
}

func TestDetectorNeedsACheckpoint(t *testing.T) {
	o := own(t)
	o.Checkpoint = ""
	if _, err := Open(t.Context(), o); err == nil || err.Error() != "the method acdclip needs a checkpoint" {
		t.Errorf("got %v", err)
	}
}

// TestScore checks that Score and ScoreAll give the same scores: bit for bit for batches
// of the same pictures, up to rounding for other batches.
func TestScore(t *testing.T) {
	d, set := open(t), drawn.Set(t, synth.Objects)
	classes := domain.Classes{Prompts: []string{"nut", "bolt"}, Domain: set.Domain}
	if err := d.Prepare(t.Context(), classes); err != nil {
		t.Fatal(err)
	}
	work := scoring.Work{
		Items: set.Items, Classes: classes, ClassOf: []int{1, 0, 1, 0, 1, 0, 1, 0, 1, 0}, Batches: scoring.Chunks(len(set.Items), 5), Costs: &scoring.Costs{},
	}
	var fromDisk []scoring.Scored
	if err := d.ScoreAll(t.Context(), work, func(s scoring.Scored) error { fromDisk = append(fromDisk, s); return s.Err }); err != nil {
		t.Fatal(err)
	}
	var pictures []pixels.Picture
	for _, s := range fromDisk {
		pictures = append(pictures, pixels.Picture{Pix: s.Picture.Pix})
	}
	var together []scoring.Scored
	for _, batch := range work.Batches {
		first, end := batch[0], batch[len(batch)-1]+1
		scored, err := d.Score(t.Context(), classes, pictures[first:end], work.ClassOf[first:end])
		if err != nil {
			t.Fatal(err)
		}
		together = append(together, scored...)
	}
	for i, s := range together {
		if s.Score != fromDisk[i].Score || s.MapMax != fromDisk[i].MapMax || *s.ClassProbability != *fromDisk[i].ClassProbability || !slices.Equal(s.Map.Scores, fromDisk[i].Map.Scores) {
			t.Errorf("picture %d scores %v, and %v from disk", i, s.Score, fromDisk[i].Score)
		}
		alone, err := d.Score(t.Context(), classes, pictures[i:i+1], work.ClassOf[i:i+1])
		if err != nil || math.Abs(float64(alone[0].Score-s.Score)) > 1e-5 {
			t.Errorf("picture %d scores %v alone and %v in a batch (%v)", i, alone[0].Score, s.Score, err)
		}
	}
	if none, err := d.Score(t.Context(), classes, nil, nil); none != nil || err != nil {
		t.Errorf("no pictures gave %v, %v", none, err)
	}
	for says, try := range map[string]func() error{
		"values": func() error {
			_, err := d.Score(t.Context(), classes, []pixels.Picture{{Pix: make([]uint8, 7)}}, []int{0})
			return err
		},
		"has class index 2": func() error { _, err := d.Score(t.Context(), classes, pictures[:1], []int{2}); return err },
		"class indexes for": func() error { _, err := d.Score(t.Context(), classes, pictures[:2], []int{0}); return err },
		"no classes":        func() error { return d.Prepare(t.Context(), domain.Classes{Domain: set.Domain}) },
	} {
		if err := try(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// countingMethod counts the classes that it prepares.
type countingMethod struct {
	model.Method
	prepared int
}

func (m *countingMethod) Prepare(ctx context.Context, s *torch.Scope, classes domain.Classes) (model.Prepared, error) {
	m.prepared += len(classes.Prompts)
	return m.Method.Prepare(ctx, s, classes)
}

// TestPromptsAreKept checks that a class's prompts are encoded once and that its scores do not change.
func TestPromptsAreKept(t *testing.T) {
	d := open(t)
	counting := &countingMethod{Method: d.method}
	d.method = counting
	set := drawn.Set(t, synth.Objects)
	var inputs []data.Found
	for _, item := range set.Items[:2] {
		inputs = append(inputs, data.Found{Path: item.Path})
	}
	var scores []float32
	for _, names := range [][]string{{"bolt", "bolt"}, {"bolt", "bolt"}, {"bolt", "nut"}, {"nut", "bolt"}} {
		o := PredictOptions{
			Inputs: inputs, Domain: domain.Industrial, Batch: 1,
			PromptOf: func(found data.Found) string {
				return names[slices.IndexFunc(inputs, func(f data.Found) bool { return f.Path == found.Path })]
			},
		}
		err := Predict(t.Context(), d, o, func(events.Event) {}, func(_ data.Found, scored scoring.Scored) error {
			scores = append(scores, scored.Score)
			return scored.Err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if counting.prepared != 2 {
		t.Errorf("%d classes were prepared", counting.prepared)
	}
	if scores[0] != scores[2] || scores[1] != scores[3] || scores[0] != scores[4] || scores[1] != scores[7] || scores[0] == scores[6] {
		t.Errorf("scores %v", scores)
	}
}

func TestPredictStopsWithItsContext(t *testing.T) {
	d := open(t)
	set := drawn.Set(t, synth.Objects)
	var inputs []data.Found
	for _, item := range set.Items {
		inputs = append(inputs, data.Found{Path: item.Path})
	}
	ctx, cancel := context.WithCancel(context.Background())
	count := 0
	o := PredictOptions{Inputs: inputs, PromptOf: func(data.Found) string { return "object" }, Domain: domain.Industrial, Batch: 2}
	err := Predict(ctx, d, o, func(events.Event) {}, func(data.Found, scoring.Scored) error {
		if count++; count == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || count < 3 || count > 4 {
		t.Errorf("after %d pictures: %v", count, err)
	}
}

// once is a method whose first image scores, or maps, are NaN.
type once struct {
	model.Method
	maps, done bool
}

func (o *once) Score(s *torch.Scope, pictures torch.Tensor, classOf []int, prepared model.Prepared) (model.Scores, error) {
	scores, err := o.Method.Score(s, pictures, classOf, prepared)
	if err == nil && !o.done {
		o.done = true
		if o.maps {
			scores.Maps = scores.Maps.MulScalar(math.NaN())
		} else {
			scores.Image = scores.Image.MulScalar(math.NaN())
		}
	}
	return scores, err
}

// TestScoresThatAreNotFinite checks that only the pictures with such scores fail.
func TestScoresThatAreNotFinite(t *testing.T) {
	d, set := open(t), drawn.Set(t, synth.Objects)
	work := scoring.Work{
		Items: set.Items, Classes: domain.Classes{Prompts: []string{"object"}, Domain: set.Domain}, ClassOf: make([]int, len(set.Items)),
		Batches: scoring.Chunks(len(set.Items), 1), Costs: &scoring.Costs{},
	}
	method := d.method
	for _, maps := range []bool{false, true} {
		d.method = &once{Method: method, maps: maps}
		err := d.ScoreAll(t.Context(), work, func(scored scoring.Scored) error {
			if first := scored.Picture.Index == 0; errors.Is(scored.Err, errNotFinite) != first || !first && scored.Err != nil {
				t.Errorf("maps %v, picture %d: %v", maps, scored.Picture.Index, scored.Err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestPredictDoesNotReadInputsWithErrors: each sees all inputs in order, and an input that
// has an error keeps it, also where its file could be read.
func TestPredictDoesNotReadInputsWithErrors(t *testing.T) {
	d, set := open(t), drawn.Set(t, synth.Objects)
	unreadable := errors.New("this folder cannot be read")
	var inputs []data.Found
	for i, item := range set.Items {
		found := data.Found{Path: item.Path}
		if i == 0 || i == 2 || i == 4 || i == 9 {
			found.Err = unreadable
		}
		inputs = append(inputs, found)
	}
	for _, size := range []int{1, 2, 5} {
		var seen []string
		o := PredictOptions{Inputs: inputs, PromptOf: func(data.Found) string { return "bolt" }, Domain: domain.Industrial, Batch: size}
		err := Predict(t.Context(), d, o, func(events.Event) {}, func(input data.Found, scored scoring.Scored) error {
			seen = append(seen, input.Path)
			if scored.Err != input.Err || (scored.Map == nil) != (input.Err != nil) {
				t.Errorf("%s: error %v, want %v", input.Path, scored.Err, input.Err)
			}
			return nil
		})
		if err != nil || len(seen) != len(inputs) {
			t.Fatalf("%v after %d of %d inputs", err, len(seen), len(inputs))
		}
		for i, path := range seen {
			if path != inputs[i].Path {
				t.Errorf("batches of %d: input %d is %s, want %s", size, i, path, inputs[i].Path)
			}
		}
	}
}
