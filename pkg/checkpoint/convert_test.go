package checkpoint

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"acdclip/internal/golden"
	adaclip "acdclip/pkg/model/adaclip/options"
	anomalyclip "acdclip/pkg/model/anomalyclip/options"
	"acdclip/pkg/model/card"
)

// TestConvert: the converted file has the same parameters and options, copies of CLIP's
// embeddings included, and says what it was trained on.
func TestConvert(t *testing.T) {
	list := card.List{anomalyclip.Card(), adaclip.Card()}
	theirs := filepath.Join(golden.Root(), "testdata", "golden", "methods", "anomalyclip_1.pth")
	var content bytes.Buffer
	if err := Convert(&content, theirs, list, Training{Auxiliary: "visa", Epoch: 15}); err != nil {
		t.Fatal(err)
	}
	ours := filepath.Join(t.TempDir(), "epoch_15.safetensors")
	if err := os.WriteFile(ours, content.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var opened [2]*Checkpoint
	for i, path := range []string{theirs, ours} {
		c, err := Open(path, list)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		opened[i] = c
	}
	was, is := opened[0], opened[1]
	if was.Unused() == 0 || is.Unused() != 0 {
		t.Errorf("%d and %d parameters are not used", was.Unused(), is.Unused())
	}
	if m := is.Metadata; m.Auxiliary != "visa" || m.Epoch != 15 || m.Method != anomalyclip.Name || m.Preset != was.Metadata.Preset {
		t.Errorf("it says %+v", m)
	}
	if !reflect.DeepEqual(was.Metadata.Model, is.Metadata.Model) || !reflect.DeepEqual(was.Metadata.Loss, is.Metadata.Loss) {
		t.Errorf("the options were %+v and %+v, and are %+v and %+v", was.Metadata.Model, was.Metadata.Loss, is.Metadata.Model, is.Metadata.Loss)
	}
	if len(was.tensors) != len(is.tensors) || !is.Has(anomalyclip.SuffixNormal) {
		t.Errorf("%d tensors were %d", len(is.tensors), len(was.tensors))
	}
	for name, tensor := range was.tensors {
		a, b := make([]float32, tensor.NumElements()), make([]float32, tensor.NumElements())
		if err := errors.Join(was.Read(name, a), is.Read(name, b)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a, b) || !slices.Equal(tensor.Shape, is.tensors[name].Shape) {
			t.Errorf("%s differs", name)
		}
	}
	for _, path := range []string{ours, filepath.Join(golden.Root(), "testdata", "golden", "methods", "adaclip_1.pth")} {
		if err := Convert(io.Discard, path, list, Training{}); !errors.Is(err, errNotConverted) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := Convert(io.Discard, "nowhere", list, Training{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
