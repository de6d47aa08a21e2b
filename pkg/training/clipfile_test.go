package training

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/pkg/atomicfile"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/weights"
)

// earlierFingerprint is the fingerprint that earlier versions gave the CLIP in testdata/golden.
const earlierFingerprint = "sha256:55513fa40f34ae2508c2c3c15fd5a6fffec1b6ef9f29a8d2a5dab3614358331c"

// A checkpoint or state written by an earlier version has another fingerprint of its CLIP,
// and can be used only with that CLIP.
func TestEarlierFingerprints(t *testing.T) {
	o := short(t, drawn.Set(t, synth.Textures), "train.epochs=1")
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(pathOf(o), "last.safetensors")
	for name, c := range map[string]struct {
		stored string
		fits   bool
	}{
		"earlier":       {earlierFingerprint, true},
		"another CLIP":  {earlierFingerprint[:len(earlierFingerprint)-1] + "0", false},
		"none":          {"", true},
		"an odd prefix": {"sha256v3:00", false},
	} {
		rename(t, path, c.stored)
		options := detect.Options{Methods: methods.All(), Config: load(t, "device=cpu", "threads=1", "clip="+o.Config.Clip), Checkpoint: path, Emit: func(events.Event) {}}
		d, err := detect.Open(context.Background(), options)
		if err == nil {
			d.Close()
		}
		if errors.Is(err, detect.ErrOtherCLIP) == c.fits || c.fits && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := newRunClosed(short(t, o.Set, "train.init_from="+path)); errors.Is(err, detect.ErrOtherCLIP) == c.fits || c.fits && err != nil {
			t.Errorf("a training that begins with one of %s: %v", name, err)
		}
	}
	again := o
	again.Config.Train.Epochs = 2
	for stored, says := range map[string]string{earlierFingerprint: "", "sha256:00": "CLIP"} {
		again.Resume = readState(t, o)
		again.Resume.Metadata.CLIP = stored
		if _, err := newRunClosed(again); (err == nil) != (says == "") || err != nil && (!errors.Is(err, ErrOtherRun) || !strings.Contains(err.Error(), says)) {
			t.Errorf("a state of %s: %v", stored, err)
		}
	}
}

// rename rewrites a checkpoint with the fingerprint of another CLIP.
func rename(t *testing.T, path, fingerprint string) {
	t.Helper()
	c, err := openCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	file, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	metadata := c.Metadata
	metadata.CLIP = fingerprint
	err = atomicfile.Write(path, func(w io.Writer) error { return checkpoint.Encode(w, metadata, valuesOf(t, file)) })
	if err != nil {
		t.Fatal(err)
	}
}

func valuesOf(t *testing.T, file *weights.File) (all []weights.Value) {
	t.Helper()
	for _, tensor := range file.Tensors {
		v := weights.Value{Name: tensor.Name, Shape: tensor.Shape, Float32: make([]float32, tensor.NumElements())}
		if err := tensor.ReadFloat32(v.Float32); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// TestAnotherCLIPIsRefused checks that a checkpoint can be used, and training can start from it, only with its own CLIP.
func TestAnotherCLIPIsRefused(t *testing.T) {
	o := short(t, drawn.Set(t, synth.Textures), "train.epochs=1")
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	other := otherCLIP(t, o.Config.Clip)
	options := detect.Options{Methods: methods.All(), Config: load(t, "device=cpu", "threads=1", "clip="+other), Checkpoint: filepath.Join(pathOf(o), "last.safetensors"), Emit: func(events.Event) {}}
	if _, err := detect.Open(context.Background(), options); !errors.Is(err, detect.ErrOtherCLIP) {
		t.Errorf("got %v, want ErrOtherCLIP", err)
	}
	if _, err := newRunClosed(short(t, o.Set, "train.init_from="+options.Checkpoint, "clip="+other)); !errors.Is(err, detect.ErrOtherCLIP) {
		t.Errorf("a training that begins with it gave %v, want ErrOtherCLIP", err)
	}
	var seen eventList
	options.AllowOtherCLIP, options.Emit = true, seen.emit
	d, err := detect.Open(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	if len(seen) == 0 {
		t.Error("taking another CLIP gave no warning")
	}
}

// otherCLIP writes a CLIP with the same shapes as that at path but with other values.
func otherCLIP(t *testing.T, path string) string {
	t.Helper()
	c, err := pretrained.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	folder := filepath.Join(t.TempDir(), "clip")
	if err := pretrained.WriteRandom(folder, c.Arch, 5); err != nil {
		t.Fatal(err)
	}
	return folder
}
