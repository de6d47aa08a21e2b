package detect_test

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/internal/rundir"
	"acdclip/pkg/config"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/detect"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/events"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/report"
	"acdclip/pkg/trained"
	"acdclip/pkg/training"
)

func emit(events.Event) {}

func load(t *testing.T, set ...string) config.Loaded {
	t.Helper()
	clip := filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf")
	loaded, err := methods.All().Catalog().Load(config.Sources{Set: append([]string{"device=cpu", "threads=1", "clip=" + clip}, set...), OwnModel: true})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// trainedOn returns the path of a checkpoint that was trained on drawn textures.
func trainedOn(t *testing.T, settings ...string) string {
	t.Helper()
	loaded := load(t, append([]string{"model.image_size=35", "model.groups=2", "train.epochs=1", "train.batch=3"}, settings...)...)
	folder := &rundir.Training{Dir: rundir.TrainingDir(filepath.Join(t.TempDir(), "run")), Emit: emit, Methods: methods.All().Cards()}
	err := training.Train(t.Context(), training.Options{
		Methods: methods.All(), Config: loaded.Config, Set: drawn.Set(t, synth.Textures), Folder: folder, Version: "test", Emit: emit,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	return folder.Path(rundir.LastFile)
}

// evaluating returns options that score objects with a checkpoint trained on drawn textures.
func evaluating(t *testing.T) evaluation.Options {
	t.Helper()
	loaded := load(t)
	m, err := trained.Read(trainedOn(t), methods.All().Cards(), loaded)
	if err != nil {
		t.Fatal(err)
	}
	return evaluation.Options{
		Jobs: []evaluation.Job{{Set: drawn.Set(t, synth.Objects), Checkpoint: &m}}, Version: "test", Batch: 4, Emit: emit,
		Detectors: &detect.Pool{Methods: methods.All(), Emit: emit},
	}
}

func run(t *testing.T, o evaluation.Options) (*report.Evaluation, []report.Score, error) {
	t.Helper()
	e, err := evaluation.Begin(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	return e.Run(context.Background(), nil)
}

func evaluate(t *testing.T, o evaluation.Options) (*report.Evaluation, []report.Score) {
	t.Helper()
	result, scores, err := run(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return result, scores
}

// Scores of single pictures and of batches differ only by rounding.
func TestBatchesHardlyChangeScores(t *testing.T) {
	o := evaluating(t)
	_, scores := evaluate(t, o)
	o.Batch, o.Load.Workers = 1, 1
	_, single := evaluate(t, o)
	for i := range scores {
		if difference := scores[i].Score - single[i].Score; difference > 1e-5 || difference < -1e-5 {
			t.Errorf("%s: %g in a batch, %g alone", scores[i].Path, scores[i].Score, single[i].Score)
		}
	}
}

// TestGates checks that each picture's gateway weights sum to 1 over the text levels.
func TestGates(t *testing.T) {
	o := evaluating(t)
	o.Extras = []string{report.Gates}
	result, scores := evaluate(t, o)
	for _, score := range scores {
		if len(score.Extras[report.Gates]) != 2*2*2 {
			t.Fatalf("%s: %d weights", score.Path, len(score.Extras[report.Gates]))
		}
	}
	for _, mean := range result.GateMeans(scores) {
		for i := range 2 {
			for state := range 2 {
				if sum := mean.At(i, 0, state) + mean.At(i, 1, state); math.Abs(sum-1) > 1e-6 {
					t.Errorf("class %q, group %d, state %d: the weights sum to %v", mean.Class, i, state, sum)
				}
			}
		}
	}
}

// TestChangedCheckpoint checks that a checkpoint that changes during an evaluation is rejected.
func TestChangedCheckpoint(t *testing.T) {
	o := evaluating(t)
	other := trainedOn(t, "seed=1")
	if err := os.Rename(other, o.Jobs[0].Checkpoint.Path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := run(t, o); err == nil || !strings.Contains(err.Error(), "changed since the evaluation started") || !strings.Contains(err.Error(), o.Jobs[0].Checkpoint.Path) {
		t.Errorf("got %v", err)
	}
}
