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

	"acdclip/cgo/torch"
	"acdclip/internal/drawn"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/contents"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/events"
)

// TestTrainSkipsBadPictures checks that with data.skip_bad an unreadable picture is counted and the others are used.
func TestTrainSkipsBadPictures(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	broken := set.Items[1].Path
	if err := os.WriteFile(broken, []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := short(t, set, "data.skip_bad=true")
	var warnings []string
	o.Emit = func(event events.Event) {
		if warning, ok := event.(events.Warning); ok {
			warnings = append(warnings, warning.Text)
		}
	}
	steps := 0
	*logOf(o) = logged(func(event events.Event) error {
		switch event := event.(type) {
		case events.TrainStep:
			steps++
		case events.TrainEpoch:
			if event.Skipped != 1 {
				t.Errorf("epoch %d: %d skipped", event.Epoch, event.Skipped)
			}
		}
		return nil
	})
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], broken) || !strings.Contains(warnings[0], set.Name) || !strings.Contains(warnings[0], "class "+set.Items[1].Class) {
		t.Errorf("warnings %q", warnings)
	}
	if steps != 2*3 { // 9 pictures in batches of 3, twice
		t.Errorf("%d steps", steps)
	}

	spoil := func(anomalous bool) {
		for _, item := range set.Items {
			if item.Anomalous != anomalous {
				continue
			}
			if err := os.WriteFile(item.Path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	spoil(true)
	if err := Train(context.Background(), short(t, set, "data.skip_bad=true")); !errors.Is(err, ErrNoAnomalies) {
		t.Errorf("with no anomalous picture left: %v", err)
	}
	spoil(false)
	if err := Train(context.Background(), short(t, set, "data.skip_bad=true")); !errors.Is(err, data.ErrNoPictures) {
		t.Errorf("with no picture left: %v", err)
	}
}

// TestTrainAugments checks that augmentation changes the result and is in the metadata, and that the cache does not change it.
func TestTrainAugments(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	train := func(settings ...string) ([]byte, checkpoint.Metadata) {
		o := short(t, set, append(settings, "train.epochs=2")...)
		o.Files = contents.NewSet([]contents.Sum{{Size: 9}})
		if err := Train(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(pathOf(o), "last.safetensors")
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := openCheckpoint(path)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return content, c.Metadata
	}
	cached, metadata := train()
	if !metadata.Recipe.Augment || metadata.Recipe.MaskThreshold != 1 || !metadata.Files.HasSize(9) {
		t.Errorf("recipe %+v, files %v", metadata.Recipe, metadata.Files)
	}
	if fresh, _ := train("data.cache=0"); !bytes.Equal(cached, fresh) {
		t.Error("the cache changes the checkpoint")
	}
	if some, _ := train("data.cache=60000"); !bytes.Equal(cached, some) {
		t.Error("a small cache changes the checkpoint")
	}
	plain, metadata := train("train.augment=false")
	if metadata.Recipe.Augment || bytes.Equal(cached, plain) {
		t.Error("train.augment=false changes nothing")
	}
	if _, turned := train("data.exif_orientation=true"); !turned.Recipe.EXIF || metadata.Recipe.EXIF {
		t.Error("the checkpoint does not say whether pictures were turned")
	}
}

// TestTrainLeavesOutUnmaskedAnomalies checks that anomalous pictures without a mask are skipped.
func TestTrainLeavesOutUnmaskedAnomalies(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	at := slices.IndexFunc(set.Items, func(item data.Item) bool { return item.Anomalous })
	set.Items[at].Mask = ""
	o := short(t, set, "train.epochs=1", "train.batch=1")
	var text string
	o.Emit = func(event events.Event) {
		if warning, ok := event.(events.Warning); ok {
			text += warning.Text
		}
	}
	steps := 0
	*logOf(o) = logged(func(event events.Event) error {
		if _, ok := event.(events.TrainStep); ok {
			steps++
		}
		return nil
	})
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if steps != 9 || !strings.Contains(text, "skipped 1 anomalous picture without a mask") {
		t.Errorf("%d steps, warnings %q", steps, text)
	}
}

// TestBatchFillIsZero checks that the area that augmentation fills in from outside the picture is zero after normalisation.
func TestBatchFillIsZero(t *testing.T) {
	o := short(t, drawn.Set(t, synth.Textures))
	r, err := newRun(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.backbone.Close()
	size := o.Config.Model.Input().Size
	plane := size * size
	item := o.Set.Items[0]
	whole := pixels.Picture{Item: item, Pix: bytes.Repeat([]uint8{7}, 3*plane), Mask: make([]uint8, plane)}
	moved := whole
	moved.Inside = bytes.Repeat([]uint8{1}, plane)
	moved.Inside[1] = 0
	var values []float32
	err = r.backbone.Runtime.Do(context.Background(), func(s *torch.Scope) error {
		values = r.batch(s, []pixels.Picture{whole, moved}).Pictures.Float32s()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, value := range values {
		fill := i >= 3*plane && i%plane == 1
		if fill != (value == 0) || !fill && value != values[i/plane%3*plane] {
			t.Fatalf("value %d is %g, fill %v", i, value, fill)
		}
	}
}
