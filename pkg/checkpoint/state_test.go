package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/weights"
)

// sampleState returns the state of a run in its fourth epoch.
func sampleState(t testing.TB) State {
	t.Helper()
	scaled := func(factor float32) []weights.Value {
		values := sampleTensors()
		for i := range values {
			for j := range values[i].Float32 {
				values[i].Float32[j] *= factor
			}
		}
		return values
	}
	metadata := sample(t)
	metadata.Recipe.Accumulate, metadata.Recipe.InitFrom, metadata.Recipe.Precision = 2, "sha256:04", "bf16"
	return State{
		Format: StateVersion, Metadata: metadata, Prompts: map[string]string{"bolt": "hex bolt"}, Contents: "sha256:03", Rates: []float64{0.1, 1.0 / 3}, Moves: 41,
		Place: Place{Epoch: 4, Pictures: 12, Step: 42, LogLines: 45, Bad: []int{3, 8}, Seconds: 1.5, Sums: Sums{
			Readable: 11, Anomalous: 7, SkippedSteps: 1, Learned: 9, Loss: 0.1 + 0.2, Terms: []Term{{"focal", 1e-300}},
		}},
		Parameters: sampleTensors(), Means: scaled(2), Squares: scaled(4),
	}
}

func writeState(t testing.TB, state State) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.safetensors")
	if err := atomicfile.Write(path, func(w io.Writer) error { return EncodeState(w, state) }); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStateComesBack(t *testing.T) {
	path := writeState(t, sampleState(t))
	got, err := ReadState(path, methods())
	if err != nil {
		t.Fatal(err)
	}
	if want := sampleState(t); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if again := writeState(t, got); !bytes.Equal(valuesOf(t, path), valuesOf(t, again)) {
		t.Error("a state that was read and written again has other bytes")
	}
	if err := got.Match(sampleSpecs()); err != nil {
		t.Error(err)
	}
	for _, specs := range [][]Spec{sampleSpecs()[:1], {sampleSpecs()[0], {"other", []int64{2}}}, {sampleSpecs()[0], {"text.0.norm.bias", []int64{1, 2}}}} {
		if err := got.Match(specs); !errors.Is(err, ErrDamaged) {
			t.Errorf("%v: got %v", specs, err)
		}
	}
	values := make([]float32, 2)
	if err := got.Read("text.0.norm.bias", values); err != nil || !slices.Equal(values, sampleTensors()[1].Float32) {
		t.Errorf("a parameter was read as %v, %v", values, err)
	}
	if err := got.Read("other", values); err == nil {
		t.Error("a parameter that is not there was read")
	}
	if c, err := Open(path, methods()); !errors.Is(err, ErrState) {
		t.Errorf("as a checkpoint: %v, %v", c, err)
	}
	if _, err := ReadState(write(t, sample(t), sampleTensors()), methods()); err == nil || !strings.Contains(err.Error(), "not a training state") {
		t.Errorf("a checkpoint as a state: %v", err)
	}
}

// TestDamagedStates checks that cutting off or changing any byte of a state is detected.
func TestDamagedStates(t *testing.T) {
	whole := valuesOf(t, writeState(t, sampleState(t)))
	path := filepath.Join(t.TempDir(), "state.safetensors")
	refused := func(what string, at int, content []byte) {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		state, err := ReadState(path, methods())
		if err == nil && !reflect.DeepEqual(state, sampleState(t)) {
			t.Errorf("byte %d %s: read as %+v", at, what, state)
		}
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("byte %d %s: %v does not name the file", at, what, err)
		}
	}
	for at := range whole {
		refused("and all after it cut off", at, whole[:at])
		changed := bytes.Clone(whole)
		changed[at] ^= 4
		refused("changed", at, changed)
	}
}

// TestStatesOfOtherTensors checks that an undamaged file with unexpected tensors is rejected.
func TestStatesOfOtherTensors(t *testing.T) {
	state := sampleState(t)
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	named := func(prefix string) []weights.Value {
		list := sampleTensors()
		for i := range list {
			list[i].Name = prefix + list[i].Name
		}
		return list
	}
	parameters, means, squares := named("parameter/"), named("mean/"), named("square/")
	turned := named("square/")
	turned[0].Shape = []int64{2, 3}
	for _, test := range []struct {
		says    string // "" for none
		tensors [][]weights.Value
	}{
		{"", [][]weights.Value{parameters, means, squares}},
		{`tensor "count" is I64`, [][]weights.Value{parameters, means, squares, {{Name: "count", Shape: []int64{1}, Int64: []int64{1}}}}},
		{`tensor "momentum/x" is unknown`, [][]weights.Value{parameters, means, squares, {{Name: "momentum/x", Shape: []int64{1}, Float32: []float32{1}}}}},
		{"do not match the parameters", [][]weights.Value{parameters, means[:1], squares}},
		{"do not match the parameters", [][]weights.Value{parameters, means, turned}},
	} {
		tensors := slices.Concat(test.tensors...)
		path := filepath.Join(t.TempDir(), "state.safetensors")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		metadata := map[string]string{stateKey: string(text), sumKey: sumOf(string(text), tensors)}
		if err := errors.Join(weights.WriteSafetensors(file, metadata, tensors), file.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = ReadState(path, methods())
		if (test.says == "") != (err == nil) || err != nil && (!errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), test.says)) {
			t.Errorf("want an error with %q, got %v", test.says, err)
		}
	}
}

func TestDecodeStateIsStrict(t *testing.T) {
	place := func(tree map[string]any) map[string]any { return tree["place"].(map[string]any) }
	for _, test := range []struct {
		name   string
		change func(tree map[string]any)
		kind   error
	}{
		{"newer format", func(tree map[string]any) { tree["format"] = StateVersion + 1 }, ErrOtherVersion},
		{"unknown entry", func(tree map[string]any) { tree["momentum"] = 1 }, ErrOtherVersion},
		{"missing entry", func(tree map[string]any) { delete(place(tree), "bad") }, ErrOtherVersion},
		{"no metadata", func(tree map[string]any) { tree["metadata"] = map[string]any{} }, ErrOtherVersion},
		{"negative step", func(tree map[string]any) { place(tree)["step"] = -1 }, ErrDamaged},
		{"negative place", func(tree map[string]any) { place(tree)["bad"] = []int{-1} }, ErrDamaged},
		{"epoch 0", func(tree map[string]any) { place(tree)["epoch"] = 0 }, ErrDamaged},
		{"another epoch than the metadata's", func(tree map[string]any) { place(tree)["epoch"] = 9 }, ErrDamaged},
	} {
		var tree map[string]any
		text, err := json.Marshal(sampleState(t))
		if err := errors.Join(err, json.Unmarshal(text, &tree)); err != nil {
			t.Fatal(err)
		}
		test.change(tree)
		if text, err = json.Marshal(tree); err != nil {
			t.Fatal(err)
		}
		if _, err := decodeState(string(text), methods()); !errors.Is(err, test.kind) {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

// FuzzReadState checks that any state that ReadState accepts survives writing and reading unchanged.
func FuzzReadState(f *testing.F) {
	whole := valuesOf(f, writeState(f, sampleState(f)))
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(bytes.Replace(whole, []byte(`\"epoch\":4`), []byte(`\"epoch\":5`), 1))
	f.Add(valuesOf(f, write(f, sample(f), sampleTensors())))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "state.safetensors")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		state, err := ReadState(path, methods())
		if err != nil {
			return
		}
		again, err := ReadState(writeState(t, state), methods())
		if err != nil || !reflect.DeepEqual(again, state) {
			t.Errorf("%+v came back as %+v, %v", state, again, err)
		}
	})
}

// FuzzDecodeState checks that a state that decodeState accepts survives encoding and decoding unchanged.
func FuzzDecodeState(f *testing.F) {
	whole, err := json.Marshal(sampleState(f))
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{string(whole), "{}", strings.Replace(string(whole), `"bad":[3,8]`, `"bad":null`, 1), strings.Replace(string(whole), `"place":{`, `"place":[`, 1)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		state, err := decodeState(text, methods())
		if err != nil {
			return
		}
		encoded, err := json.Marshal(state)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeState(string(encoded), methods())
		if err != nil || !reflect.DeepEqual(again, state) {
			t.Errorf("%+v came back as %+v, %v", state, again, err)
		}
	})
}
