package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"acdclip/pkg/model/card"
	"acdclip/pkg/strictjson"
	"acdclip/pkg/weights"
)

// StateVersion is the version of the files that EncodeState writes.
const StateVersion = 2

// stateKey is the entry of a safetensors file's metadata that holds a State as JSON.
const stateKey = "acdclip-state"

// ErrState reports a state file where a checkpoint is expected.
var ErrState = errors.New("this is a training state for train --resume, not a checkpoint; use last.safetensors, the newest checkpoint, in the same folder")

// State holds everything that a training needs to resume as if it had never stopped.
type State struct {
	Format   int               `json:"format"`
	Metadata Metadata          `json:"metadata"` // of a checkpoint written now; its Epoch is the number of finished epochs
	Prompts  map[string]string `json:"prompts"`  // prompt name of each class that is trained on or held out
	HeldOut  string            `json:"held_out"` // domain and list hash of the held-out rows; "" for none
	Contents string            `json:"contents"` // hash of the contents of the dataset's pictures and masks
	Place    Place             `json:"place"`
	Rates    []float64         `json:"rates"` // the optimiser's learning rates, by parameter group
	Moves    int64             `json:"moves"` // the optimiser's steps, without skipped ones

	Parameters []weights.Value `json:"-"` // the trained parameters
	Means      []weights.Value `json:"-"` // Adam's running mean of each parameter's gradient; name and shape are the parameter's
	Squares    []weights.Value `json:"-"` // Adam's running mean of each gradient's square
}

// Place is the progress of a training.
type Place struct {
	Epoch    int     `json:"epoch"`    // the current epoch, from 1; the number of epochs plus 1 after the last
	Pictures int     `json:"pictures"` // pictures consumed in this epoch, unreadable ones included
	Step     int     `json:"step"`     // steps over all epochs, skipped ones included
	LogLines int     `json:"log_lines"`
	Bad      []int   `json:"bad"`     // indexes of the pictures that cannot be read, ascending
	Seconds  float64 `json:"seconds"` // time spent on the current epoch
	Sums     Sums    `json:"sums"`    // of the current epoch
	Best     *Best   `json:"best"`    // nil before the first validated epoch
}

// Best is the finished epoch with the best validation.
type Best struct {
	Epoch int     `json:"epoch"`
	Mean  float64 `json:"mean"` // mean of image and pixel AUROC on the held-out pictures
}

// Sums are the sums and counts that an epoch's means are computed from.
type Sums struct {
	Readable     int     `json:"readable"`       // pictures that could be read
	Anomalous    int     `json:"anomalous"`      // anomalous pictures among the readable
	SkippedSteps int     `json:"skipped_steps"`  // steps skipped because a number was not finite
	SkippedInRow int     `json:"skipped_in_row"` // steps skipped since the last one that was learned from
	Learned      int     `json:"learned"`        // pictures counted in the sums below
	Loss         float64 `json:"loss"`
	Terms        []Term  `json:"terms"`
}

// Term is the sum of one part of the loss.
type Term struct {
	Name string  `json:"name"`
	Sum  float64 `json:"sum"`
}

// parts maps the name prefix of each kind of tensor in a state file to its list.
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

// ReadState reads a state of one of the methods and checks its integrity. A truncated or
// changed file is ErrDamaged or one of the errors of pkg/weights, a file of another
// version ErrOtherVersion.
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
		return State{}, errors.New("this is not a training state")
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
		return State{}, fmt.Errorf("its content does not match its SHA-256: %w", ErrDamaged)
	}
	return state, state.sort(tensors)
}

// sort distributes tensors to Parameters, Means and Squares by their names. The three
// must have the same names and shapes.
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
		return fmt.Errorf("the optimiser's tensors do not match the parameters: %w", ErrDamaged)
	}
	return nil
}

// Match checks that the state holds exactly the wanted parameters in their shapes.
func (s *State) Match(wanted []Spec) error {
	held := map[string][]int64{}
	for _, value := range s.Parameters {
		held[value.Name] = value.Shape
	}
	matches := len(held) == len(wanted)
	for _, want := range wanted {
		shape, found := held[want.Name]
		matches = matches && found && slices.Equal(shape, want.Shape)
	}
	if !matches {
		return fmt.Errorf("the state's parameters do not match the model: %w", ErrDamaged)
	}
	return nil
}

// Has reports whether the state has a parameter of that name.
func (s *State) Has(name string) bool {
	return slices.ContainsFunc(s.Parameters, func(value weights.Value) bool { return value.Name == name })
}

// Read copies a parameter's values into values, row-major. Match must have succeeded before.
func (s *State) Read(name string, values []float32) error {
	for _, value := range s.Parameters {
		if value.Name == name {
			copy(values, value.Float32)
			return nil
		}
	}
	return fmt.Errorf("the state has no parameter %s", name)
}

// decodeState decodes a State's JSON strictly.
func decodeState(text string, methods card.List) (State, error) {
	var parts struct {
		Format   int             `json:"format"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if err := json.Unmarshal([]byte(text), &parts); err != nil {
		return State{}, fmt.Errorf("it cannot be read: %w: %w", ErrDamaged, err)
	}
	if parts.Format != StateVersion {
		return State{}, fmt.Errorf("its format version is %d, expected %d: %w", parts.Format, StateVersion, ErrOtherVersion)
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
	if err := strictjson.Decode(text, &state); err != nil {
		return State{}, fmt.Errorf("it %w", otherVersion(err))
	}
	p := state.Place
	if p.Epoch < 1 || state.Metadata.Epoch != p.Epoch-1 || state.Moves < 0 || p.Seconds < 0 || slices.ContainsFunc(p.Bad, negative) ||
		slices.ContainsFunc([]int{p.Pictures, p.Step, p.LogLines, p.Sums.Readable, p.Sums.Anomalous, p.Sums.SkippedSteps, p.Sums.Learned}, negative) {
		return State{}, fmt.Errorf("its progress counts are invalid: %w", ErrDamaged)
	}
	return state, nil
}

func negative(n int) bool { return n < 0 }
