package checkpoint

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/atomicfile"
	"acdclip/pkg/weights"
)

func refused(t *testing.T, path string) error {
	t.Helper()
	c, err := Open(path, methods())
	if err == nil {
		c.Close()
	}
	return err
}

// Changing any byte of the values or of the metadata is detected.
func TestDamagedCheckpoints(t *testing.T) {
	path := write(t, sample(t), sampleTensors())
	whole := valuesOf(t, path)
	header := 8 + int(whole[0]) + int(whole[1])<<8
	seed := bytes.Index(whole, []byte("9223372036854775809")) // of the description: another number is as valid
	if seed < 0 {
		t.Fatal("the description does not hold the seed")
	}
	places := []int{seed + 18}
	for at := header; at < len(whole); at++ {
		places = append(places, at)
	}
	for _, at := range places {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := refused(t, path); !errors.Is(err, ErrDamaged) && !errors.Is(err, weights.ErrMalformed) || !strings.Contains(err.Error(), path) {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}

// Earlier versions wrote no checksum.
func TestCheckpointWithoutSum(t *testing.T) {
	whole := open(t, write(t, sample(t), sampleTensors())).file.Metadata[metadataKey]
	path := filepath.Join(t.TempDir(), "old.safetensors")
	err := atomicfile.Write(path, func(w io.Writer) error {
		return weights.WriteSafetensors(w, map[string]string{metadataKey: whole}, sampleTensors())
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Match(sampleSpecs()); err != nil {
		t.Error(err)
	}
}

// A value that is not finite is rejected in every kind of file, and the error names its tensor.
func TestCheckpointsThatAreNotFinite(t *testing.T) {
	for _, wrong := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		tensors := sampleTensors()
		tensors[1].Float32[1] = wrong
		path := write(t, sample(t), tensors)
		if err := refused(t, path); !errors.Is(err, weights.ErrMalformed) || !strings.Contains(err.Error(), "text.0.norm.bias") || !strings.Contains(err.Error(), path) {
			t.Errorf("%v: %v", wrong, err)
		}
		state := sampleState(t)
		state.Parameters[0].Float32[0] = wrong
		path = writeState(t, state)
		if _, err := ReadState(path, methods()); !errors.Is(err, weights.ErrMalformed) || !strings.Contains(err.Error(), state.Parameters[0].Name) {
			t.Errorf("a state with %v: %v", wrong, err)
		}
	}
}

// The same for the released code's files: one stored value is set to NaN.
func TestReleasedThatIsNotFinite(t *testing.T) {
	source := filepath.Join(golden.Root(), "testdata", "golden", "released_n2_adapter_1.pth")
	file, err := weights.Open(source)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const name = "image_adapter.vision_text_gate.1.2.bias"
	var all []weights.Value
	for _, tensor := range file.Tensors {
		v := weights.Value{Name: tensor.Name, Shape: tensor.Shape, Float32: make([]float32, tensor.NumElements())}
		if err := tensor.ReadFloat32(v.Float32); err != nil {
			t.Fatal(err)
		}
		if v.Name == name {
			v.Float32[0] = float32(math.NaN())
		}
		all = append(all, v)
	}
	path := filepath.Join(t.TempDir(), "adapter.safetensors")
	if err := atomicfile.Write(path, func(w io.Writer) error { return weights.WriteSafetensors(w, nil, all) }); err != nil {
		t.Fatal(err)
	}
	if err := refused(t, path); !errors.Is(err, weights.ErrMalformed) || !strings.Contains(err.Error(), name) {
		t.Error(err)
	}
}
