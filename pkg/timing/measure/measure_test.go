package measure

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/internal/torchtest"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/timing"
	"acdclip/pkg/training"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// memory is a Memory whose peaks rise.
type memory struct {
	peak      int64
	cannotFor int // that many resets fail
}

func (m *memory) Reset() bool { m.cannotFor--; return m.cannotFor < 0 }

func (m *memory) Peak() int64 { m.peak++; return m.peak }

// small returns options for a small CLIP.
func small(t *testing.T) Options {
	t.Helper()
	folder := filepath.Join(golden.Root(), "testdata", "golden")
	loaded, err := methods.All().Catalog().Load(config.Sources{OwnModel: true, Set: []string{
		"device=cpu", "threads=1", "model.image_size=98", "clip=" + filepath.Join(folder, "clip_tiny_openai.pt"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	in := func(format string) config.Loaded {
		l := loaded
		l.Config.Precision = config.Precision(format)
		return l
	}
	return Options{
		Formats: []string{"bf16", "fp32"}, Rounds: 2, Items: drawn.Set(t, synth.Textures).Items[:2], Prompt: "floor", Domain: domain.Industrial,
		Open: func(ctx context.Context, format string) (*detect.Detector, error) {
			return detect.Open(ctx, detect.Options{
				Methods: methods.All(), Config: in(format), Checkpoint: filepath.Join(folder, "released_n2_adapter_1.pth"), Emit: func(events.Event) {},
			})
		},
		OpenTraining: func(ctx context.Context, format string, picture pixels.Picture) (*training.StepTimer, error) {
			if format == "bf16" {
				return nil, nil
			}
			if len(picture.Mask) != 98*98 || !slices.Contains(picture.Mask, 1) || !slices.Contains(picture.Mask, 0) || !picture.Item.Anomalous {
				return nil, fmt.Errorf("the picture has no mask: %d pixels", len(picture.Mask))
			}
			return training.OpenStepTimer(ctx, training.StepOptions{
				Methods: methods.All(), Config: in(format).Config, Pictures: []pixels.Picture{picture}, Prompt: "floor", Domain: domain.Industrial,
			})
		},
		Memory: &memory{peak: 1000}, Emit: func(events.Event) {},
	}
}

// TestRun checks that every stage has a time of each round, and that formats take turns.
func TestRun(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	o := small(t)
	var opened []string
	open := o.Open
	o.Open = func(ctx context.Context, format string) (*detect.Detector, error) {
		opened = append(opened, format)
		return open(ctx, format)
	}
	rounds := 0
	o.Emit = func(event events.Event) {
		if progress, is := event.(events.Progress); is {
			rounds = progress.Done
		}
	}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(opened, " "); got != "bf16 fp32 bf16 fp32 bf16 fp32" || rounds != 3 {
		t.Errorf("opened %s in %d rounds, want one round to warm up and 2 that count", got, rounds)
	}
	if r.Batch != 2 || r.Rounds != 2 || !r.Peaks {
		t.Errorf("%+v", r)
	}
	scoring := []string{"load the model", "prompts of a class", "image tower", "rest of the method*", "read map and score", "predict, file to map"}
	for _, c := range []struct {
		what   string
		stages timing.Stages
		want   []string
	}{
		{"common", r.Common, []string{"decode and resize", "metrics of a map"}},
		{"bf16", r.Formats[0].Stages, scoring},
		{"fp32", r.Formats[1].Stages, append(scoring, "training step")},
	} {
		var names []string
		for _, stage := range c.stages {
			names = append(names, stage.Name)
			positive := func(s float64) bool { return s > 0 || stage.Name == "rest of the method*" }
			if len(stage.Seconds) != 2 || !positive(stage.Least()) {
				t.Errorf("%s, %s: %v", c.what, stage.Name, stage.Seconds)
			}
		}
		if !slices.Equal(names, c.want) {
			t.Errorf("%s: stages %q, want %q", c.what, names, c.want)
		}
	}
	// A round asks for three peaks; the lowest of the rounds that count are the second round's.
	if half, single := r.Formats[0], r.Formats[1]; half.PeakMemory != 1000+4 || single.PeakMemory != 1000+5 || single.TrainingMemory != 1000+6 || half.TrainingMemory != 0 {
		t.Errorf("peaks %d and %d, of a training step %d and %d", half.PeakMemory, single.PeakMemory, half.TrainingMemory, single.TrainingMemory)
	}
}

// TestRunSaysThatPeaksAreShared checks that one reset that fails is enough.
func TestRunSaysThatPeaksAreShared(t *testing.T) {
	o := small(t)
	o.Formats, o.Rounds, o.OpenTraining, o.Memory = []string{"fp32"}, 2, nil, &memory{peak: 100, cannotFor: 2}
	if r, err := Run(t.Context(), o); err != nil || r.Peaks {
		t.Errorf("%v, %v", r.Peaks, err)
	}
}

func TestRunNeedsReadablePictures(t *testing.T) {
	o := small(t)
	o.Items = []data.Item{{Path: filepath.Join(t.TempDir(), "none.png")}}
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "none.png") {
		t.Errorf("got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ended, small(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gives %v", err)
	}
}
