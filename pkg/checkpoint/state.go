package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"acdclip/pkg/config"
	"acdclip/pkg/model/card"
	"acdclip/pkg/weights"
)

// StateVersion is the version of the files that EncodeState makes.
const StateVersion = 2

// stateKey is the entry of a safetensors file's metadata that holds a State as JSON.
const stateKey = "acdclip-state"

// ErrState reports a state file where a checkpoint is wanted.
var ErrState = errors.New("this is the state of a training, for train --resume; the checkpoints lie beside it, last.safetensors the newest")

// State is all that a training needs to go on as if it had never stopped.
type State struct {
	Format   int               `json:"format"`
	Metadata Metadata          `json:"metadata"` // of a checkpoint written now: its Epoch counts the finished ones
	Prompts  map[string]string `json:"prompts"`  // class trained on or held out: its prompt name
	HeldOut  string            `json:"held_out"` // names the rows held out, and how they are scored; "" for none
	Contents string            `json:"contents"` // names the contents of the dataset's pictures and masks
	Place    Place             `json:"place"`
	Rates    []float64         `json:"rates"` // the optimiser's learning rates, by parameter group
	Moves    int64             `json:"moves"` // the optimiser's steps: those taken less those left out

	Parameters []weights.Value `json:"-"` // the adapters
	Means      []weights.Value `json:"-"` // the optimiser's running means of each parameter's gradient; name and shape are the parameter's
	Squares    []weights.Value `json:"-"` // and of the gradient's square
}

// Place is how far a training has come.
type Place struct {
	Epoch    int     `json:"epoch"`    // the one under way, from 1; one more than all when the training has ended
	Pictures int     `json:"pictures"` // how many of the epoch's order were taken, the unreadable ones too
	Step     int     `json:"step"`     // steps taken, over all epochs, those left out too
	LogLines int     `json:"log_lines"`
	Bad      []int   `json:"bad"`     // places in the list of the pictures that cannot be read, in order
	Seconds  float64 `json:"seconds"` // spent on the epoch
	Sums     Sums    `json:"sums"`    // of the epoch
	Best     *Best   `json:"best"`    // nil before the first epoch that was validated
}

// Best is the finished epoch with the best validation.
type Best struct {
	Epoch int     `json:"epoch"`
	Mean  float64 `json:"mean"` // of image and pixel AUROC on what is held out
}

// Sums are what an epoch's means are made of.
type Sums struct {
	Readable     int     `json:"readable"`       // pictures
	Anomalous    int     `json:"anomalous"`      // of them
	SkippedSteps int     `json:"skipped_steps"`  // left out because of a number that is not finite
	SkippedInRow int     `json:"skipped_in_row"` // of them those after the last step that was learned from
	Learned      int     `json:"learned"`        // pictures in the sums below
	Loss         float64 `json:"loss"`
	Terms        []Term  `json:"terms"`
}

// Term is the sum of one part of the loss.
type Term struct {
	Name string  `json:"name"`
	Sum  float64 `json:"sum"`
}

// parts are the three kinds of tensors in a state file and how their names begin there.
func (s *State) parts() map[string]*[]weights.Value {
	return map[string]*[]weights.Value{parameterPart: &s.Parameters, "mean/": &s.Means, "square/": &s.Squares}
}

func partNames() []string { return []string{parameterPart, "mean/", "square/"} }

const parameterPart = "parameter/"

// EncodeState writes a state as the content of one safetensors file.
func EncodeState(w io.Writer, state State) error {
	state.Format, state.Metadata.Format = StateVersion, FormatVersion
	text, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("describing the state: %w", err)
	}
	var tensors []weights.Value
	for _, part := range partNames() {
		for _, value := range *state.parts()[part] {
			value.Name = part + value.Name
			tensors = append(tensors, value)
		}
	}
	return weights.WriteSafetensors(w, map[string]string{stateKey: string(text), sumKey: sumOf(string(text), tensors)}, tensors)
}

// ReadState reads a state of one of the methods and checks that it is whole: what is cut or changed is
// ErrDamaged or one of the errors of pkg/weights, another version's file
// config.ErrOtherVersion.
func ReadState(path string, methods card.List) (State, error) {
	file, err := weights.Open(path)
	if err != nil {
		return State{}, fmt.Errorf("opening state: %w", err)
	}
	defer file.Close()
	state, err := readState(file, methods)
	if err != nil {
		return State{}, fmt.Errorf("state %s: %w", path, err)
	}
	return state, nil
}

func readState(file *weights.File, methods card.List) (State, error) {
	text, found := file.Metadata[stateKey]
	if !found {
		return State{}, errors.New("this is no state of a training")
	}
	state, err := decodeState(text, methods)
	if err != nil {
		return State{}, err
	}
	tensors := make([]weights.Value, len(file.Tensors))
	for i, t := range file.Tensors {
		if t.DType != weights.F32 {
			return State{}, fmt.Errorf("tensor %.200q is %s: %w", t.Name, t.DType, ErrDamaged)
		}
		tensors[i] = weights.Value{Name: t.Name, Shape: t.Shape, Float32: make([]float32, t.NumElements())}
		read := t.ReadFloat32
		if strings.HasPrefix(t.Name, parameterPart) {
			read = t.ReadFinite
		}
		if err := read(tensors[i].Float32); err != nil {
			return State{}, err
		}
	}
	if sumOf(text, tensors) != file.Metadata[sumKey] {
		return State{}, fmt.Errorf("its content is not what its SHA-256 says: %w", ErrDamaged)
	}
	return state, state.sort(tensors)
}

// sort puts tensors where their names say. Parameters, means and squares must be alike.
func (s *State) sort(tensors []weights.Value) error {
	for _, t := range tensors {
		known := false
		for part, list := range s.parts() {
			if name, ok := strings.CutPrefix(t.Name, part); ok {
				t.Name, known = name, true
				*list = append(*list, t)
				break
			}
		}
		if !known {
			return fmt.Errorf("tensor %.200q is unknown: %w", t.Name, ErrDamaged)
		}
	}
	alike := func(a, b weights.Value) bool { return a.Name == b.Name && slices.Equal(a.Shape, b.Shape) }
	if !slices.EqualFunc(s.Parameters, s.Means, alike) || !slices.EqualFunc(s.Parameters, s.Squares, alike) {
		return fmt.Errorf("parameters and optimiser do not belong together: %w", ErrDamaged)
	}
	return nil
}

// Match checks that the state holds exactly the parameters wanted, each in its shape.
func (s *State) Match(wanted []Spec) error {
	held := map[string][]int64{}
	for _, value := range s.Parameters {
		held[value.Name] = value.Shape
	}
	fits := len(held) == len(wanted)
	for _, want := range wanted {
		shape, found := held[want.Name]
		fits = fits && found && slices.Equal(shape, want.Shape)
	}
	if !fits {
		return fmt.Errorf("the state's parameters are not the model's: %w", ErrDamaged)
	}
	return nil
}

// Read writes a parameter's values, row-major. Match has found that it is there.
func (s *State) Read(name string, values []float32) error {
	for _, value := range s.Parameters {
		if value.Name == name {
			copy(values, value.Float32)
			return nil
		}
	}
	return fmt.Errorf("the state has no parameter %s", name)
}

// decodeState reads a State's JSON strictly.
func decodeState(text string, methods card.List) (State, error) {
	var parts struct {
		Format   int             `json:"format"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if err := json.Unmarshal([]byte(text), &parts); err != nil {
		return State{}, fmt.Errorf("it cannot be read: %w: %w", ErrDamaged, err)
	}
	if parts.Format != StateVersion {
		return State{}, fmt.Errorf("its format is %d and this program reads %d: %w", parts.Format, StateVersion, config.ErrOtherVersion)
	}
	metadata, err := decode(string(parts.Metadata), methods)
	if err != nil {
		return State{}, err
	}
	method, err := methods.Find(metadata.Method)
	if err != nil {
		return State{}, err
	}
	state := State{Metadata: empty(method)}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&state); err != nil {
		return State{}, fmt.Errorf("it cannot be read: %w: %w", config.ErrOtherVersion, err)
	}
	if missing := missingEntry(text, state); missing != "" {
		return State{}, fmt.Errorf("it has no entry %s: %w", missing, config.ErrOtherVersion)
	}
	p := state.Place
	if p.Epoch < 1 || state.Metadata.Epoch != p.Epoch-1 || state.Moves < 0 || p.Seconds < 0 || slices.ContainsFunc(p.Bad, negative) ||
		slices.ContainsFunc([]int{p.Pictures, p.Step, p.LogLines, p.Sums.Readable, p.Sums.Anomalous, p.Sums.SkippedSteps, p.Sums.Learned}, negative) {
		return State{}, fmt.Errorf("its place in the training is impossible: %w", ErrDamaged)
	}
	return state, nil
}

func negative(n int) bool { return n < 0 }
