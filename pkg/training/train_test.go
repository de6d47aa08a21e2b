package training

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/internal/rundir"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/events"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/methods"
)

// short returns the options of a short run on the tiny CLIP of the golden data.
func short(t *testing.T, set *data.Dataset, settings ...string) Options {
	t.Helper()
	own := filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf")
	settings = append([]string{
		"device=cpu", "threads=1", "clip=" + own, "model.image_size=35", "model.groups=2", "train.epochs=2", "train.batch=3", "train.auxiliary=" + set.Name,
	}, settings...)
	loaded, err := methods.All().Catalog().Load(config.Sources{Set: settings, Flags: map[string]any{"data.roots." + set.Name: set.Root}})
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Methods: methods.All(), Config: loaded.Config, Set: set, Version: "test", Emit: func(events.Event) {},
		Folder: &folder{path: t.TempDir(), logger: logged(func(events.Event) error { return nil })},
	}
}

func TestTrainIsRepeatable(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	train := func(workers int, settings ...string) []byte {
		o := short(t, set, settings...)
		o.Load.Workers = workers
		if err := Train(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		last, err := os.ReadFile(filepath.Join(pathOf(o), "last.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		second, err := os.ReadFile(filepath.Join(pathOf(o), "epoch-002.safetensors"))
		if err != nil || !bytes.Equal(last, second) {
			t.Errorf("last.safetensors is not the second epoch's: %v", err)
		}
		return last
	}
	first := train(1, "seed=7")
	if !bytes.Equal(first, train(3, "seed=7")) {
		t.Error("the same seed gave other bytes")
	}
	if bytes.Equal(first, train(1, "seed=8")) {
		t.Error("another seed gave the same bytes")
	}
}

func TestTrainDescribesItsCheckpoints(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	o := short(t, set, "preset=released", "model.image_size=70", "loss.focal=2")
	var log eventList
	*logOf(o) = logged(func(event events.Event) error { log.emit(event); return nil })
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	c, err := openCheckpoint(filepath.Join(pathOf(o), "epoch-001.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m := c.Metadata
	if m.Preset != options.Released || m.Loss.(*options.Loss).Focal != 2 || m.Auxiliary != set.Name || m.Epoch != 1 || m.ListHash != set.ListHash() ||
		m.Model.(*options.Model).Groups != 2 || m.Model.(*options.Model).Adapter.Hidden == 0 || m.Device != "cpu" || m.Threads != 1 || len(m.Prompts) != 2 {
		t.Errorf("metadata %+v", m)
	}
	var steps, epochs int
	for _, event := range log {
		switch event := event.(type) {
		case events.TrainStep:
			steps++
			if event.Step != steps || event.Steps != 8 || len(event.Parts) != 4 || len(event.LearningRates) != 2 {
				t.Errorf("step %+v", event)
			}
		case events.TrainEpoch:
			epochs++
		}
	}
	if steps != 8 || epochs != 2 { // 10 pictures in batches of 3; the last batch has 1
		t.Errorf("%d steps and %d epochs were logged", steps, epochs)
	}
}

// TestTrainNotesThePrecision checks that the precision is in the metadata only if it changes numbers.
func TestTrainNotesThePrecision(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	for precision, want := range map[string]string{"auto": "", "fp32": "", "bf16": "bf16"} {
		o := short(t, set, "precision="+precision, "train.epochs=1")
		if err := Train(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		c, err := openCheckpoint(filepath.Join(pathOf(o), rundir.LastFile))
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if c.Metadata.Recipe.Precision != want {
			t.Errorf("%s: the checkpoint says %q, want %q", precision, c.Metadata.Recipe.Precision, want)
		}
		text, err := os.ReadFile(c.Path)
		if err != nil || bytes.Contains(text, []byte("precision")) != (want != "") {
			t.Errorf("%s: the file names a precision, or none where it should (%v)", precision, err)
		}
	}
}

func TestTrainStops(t *testing.T) {
	t.Run("when it is cancelled, with the finished epochs saved", func(t *testing.T) {
		o := short(t, drawn.Set(t, synth.Textures))
		ctx, cancel := context.WithCancel(context.Background())
		*logOf(o) = logged(func(event events.Event) error {
			if step, ok := event.(events.TrainStep); ok && step.Epoch == 2 {
				cancel()
			}
			return nil
		})
		if err := Train(ctx, o); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		for name, want := range map[string]bool{"epoch-001.safetensors": true, "last.safetensors": true, "epoch-002.safetensors": false} {
			if _, err := os.Stat(filepath.Join(pathOf(o), name)); (err == nil) != want {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("at a picture that cannot be read", func(t *testing.T) {
		set := drawn.Set(t, synth.Textures)
		broken := set.Items[1].Path
		if err := os.WriteFile(broken, []byte("no picture"), 0o644); err != nil {
			t.Fatal(err)
		}
		err := Train(context.Background(), short(t, set))
		if !errors.Is(err, picture.ErrNotPicture) || !strings.Contains(err.Error(), broken) || !strings.Contains(err.Error(), set.Name) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("without masks", func(t *testing.T) {
		set := drawn.Set(t, synth.Textures)
		for i := range set.Items {
			set.Items[i].Mask = ""
		}
		if err := Train(context.Background(), short(t, set)); !errors.Is(err, ErrNoMasks) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("without anomalous pictures", func(t *testing.T) {
		set := drawn.Set(t, synth.Textures)
		set.Items = slices.DeleteFunc(set.Items, func(item data.Item) bool { return item.Anomalous })
		if err := Train(context.Background(), short(t, set)); !errors.Is(err, ErrNoAnomalies) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("when the log cannot be written", func(t *testing.T) {
		o := short(t, drawn.Set(t, synth.Textures))
		full := errors.New("disk full")
		*logOf(o) = logged(func(events.Event) error { return full })
		if err := Train(context.Background(), o); !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("at a loss that is no number", func(t *testing.T) {
		o := short(t, drawn.Set(t, synth.Textures), "train.lr.vision=1e30", "train.lr.text=1e30", "train.batch=10", "train.epochs=10")
		if err := Train(context.Background(), o); !errors.Is(err, ErrNotFinite) || !strings.Contains(err.Error(), "step") {
			t.Errorf("got %v", err)
		}
	})
}

// TestTrainLowersTheLoss trains on a drawn dataset and checks that the loss falls.
func TestTrainLowersTheLoss(t *testing.T) {
	o := short(t, drawn.Set(t, synth.Textures), "train.epochs=6")
	var losses []float64
	*logOf(o) = logged(func(event events.Event) error {
		if epoch, ok := event.(events.TrainEpoch); ok {
			losses = append(losses, epoch.Loss)
		}
		return nil
	})
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if first, last := losses[0], losses[len(losses)-1]; !(last < 0.95*first) {
		t.Errorf("mean losses %v", losses)
	}
}
