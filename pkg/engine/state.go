package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/weights"
)

// ErrOtherRun reports that a run cannot be resumed because what it depends on has changed.
var ErrOtherRun = errors.New("the run cannot be resumed")

// asBegun fills in what a configuration leaves to the machine as it was when the run began.
func asBegun(c config.Config, begun checkpoint.Metadata) config.Config {
	if c.Threads == 0 {
		c.Threads = begun.Threads
	}
	if c.Device == config.DeviceAuto && begun.Device == "cpu" {
		c.Device = "cpu"
	}
	return c
}

// continues checks that the run is the one that state is of, and names what is not.
func (r *run) continues(state *checkpoint.State) error {
	begun, now := state.Metadata, r.metadata
	begun.Format, begun.Epoch, begun.Recipe.Epochs = now.Format, now.Epoch, now.Recipe.Epochs // these may grow
	if r.base.identity.Is(begun.CLIP) {                                                       // under the name that an earlier version gave it, too
		begun.CLIP = now.CLIP
	}
	var differ []string
	compare := func(what string, begun, now any) {
		if reflect.DeepEqual(begun, now) {
			return
		}
		switch now.(type) {
		case string, int:
			what += fmt.Sprintf(" (%v, begun with %v)", now, begun)
		}
		differ = append(differ, what)
	}
	compare("CLIP", begun.CLIP, now.CLIP)
	compare("the dataset's name", begun.Auxiliary, now.Auxiliary)
	compare("the list of pictures, classes and masks", begun.ListHash, now.ListHash)
	if state.Contents != r.Contents {
		differ = append(differ, "the contents of pictures or masks")
	}
	if state.HeldOut != r.heldList() {
		differ = append(differ, "the list of what is held out, or the dataset's domain")
	}
	compare("the prompt names", state.Prompts, r.prompts())
	compare("the mask threshold", begun.Recipe.MaskThreshold, now.Recipe.MaskThreshold)
	compare("threads", begun.Threads, now.Threads)
	compare("device", begun.Device, now.Device)
	compare("acdclip", begun.Versions.Acdclip, now.Versions.Acdclip)
	compare("libtorch", begun.Versions.Libtorch, now.Versions.Libtorch)
	if differ == nil { // the rest stands in config.yaml
		if names := differingEntries(begun, now); names != nil {
			differ = []string{"the configuration (" + strings.Join(names, ", ") + ")"}
		}
	}
	if differ == nil {
		return nil
	}
	return fmt.Errorf("%w, for what it depends on has changed: %s; give it what it was begun with, or begin another run", ErrOtherRun, strings.Join(differ, "; "))
}

// differingEntries names the entries of two checkpoints' metadata that differ, as in "recipe.batch".
func differingEntries(begun, now checkpoint.Metadata) []string {
	var flat [2]map[string]any
	for i, metadata := range []checkpoint.Metadata{begun, now} {
		text, err := json.Marshal(metadata)
		if err == nil {
			flat[i], err = flattened(text)
		}
		if err != nil {
			return []string{err.Error()}
		}
	}
	return differingKeys(flat[0], flat[1])
}

// prompts gives the prompt name of each class, of those held out too.
func (r *run) prompts() map[string]string {
	classes := r.Set.Classes
	if r.held != nil {
		classes = slices.Concat(classes, r.held.Classes)
	}
	prompts := map[string]string{}
	for _, class := range classes {
		prompts[class.Name] = class.Prompt
	}
	return prompts
}

// heldList names the rows held out, and the domain, which decides how they are scored; "" for nothing.
func (r *run) heldList() string {
	if r.held == nil {
		return ""
	}
	return string(r.held.Domain) + " " + r.held.ListHash()
}

// begin opens the log and saves the first state, so that there is always one to go on from.
func (r *run) begin() error {
	r.began, r.saved = time.Now(), time.Now()
	if err := r.Log.Begin(r.at.LogLines); err != nil {
		return err
	}
	if r.Resume != nil {
		return nil
	}
	return r.saveState()
}

// saveInTime saves the state where it is time to.
func (r *run) saveInTime() error {
	if time.Since(r.saved).Minutes() < r.Config.Train.SaveMinutes {
		return nil
	}
	return r.saveState()
}

// saveEpoch writes the checkpoint of the epoch that has just ended, and the state
// last: whenever the program is killed, what comes after the state that is there
// is done again and gives the same files.
func (r *run) saveEpoch() error {
	metadata := r.metadata
	metadata.Epoch = r.at.Epoch - 1
	var parameters []weights.Value
	err := r.base.runtime.Do(context.Background(), func(*torch.Scope) error {
		parameters = r.trainer.parameters()
		return nil
	})
	if err != nil {
		return err
	}
	names := []string{EpochFile(metadata.Epoch), LastFile}
	if r.at.Best != nil && r.at.Best.Epoch == metadata.Epoch {
		names = append(names, BestFile)
	}
	for _, name := range names {
		if err := checkpoint.Write(filepath.Join(r.Folder, name), metadata, parameters); err != nil {
			return err
		}
	}
	return r.saveState()
}

// saveState writes the state of the place between two steps. The log comes first,
// since the state counts its lines.
func (r *run) saveState() error {
	state := checkpoint.State{Metadata: r.metadata, Prompts: r.prompts(), HeldOut: r.heldList(), Contents: r.Contents, Place: r.at}
	state.Metadata.Epoch = r.at.Epoch - 1
	state.Place.Seconds = r.seconds()
	err := r.base.runtime.Do(context.Background(), func(*torch.Scope) error {
		r.trainer.save(&state)
		return nil
	})
	if err == nil {
		err = r.Log.Sync()
	}
	if err == nil {
		err = checkpoint.WriteState(filepath.Join(r.Folder, StateFile), state)
	}
	r.saved, r.unsaved = time.Now(), err
	return err
}

// stopped saves the state of a run that ends early, where it can be gone on from:
// not in the middle of a step, nor where saving is what failed.
func (r *run) stopped(cause error) error {
	if r.unsaved != nil || r.moves != r.trainer.Moves() {
		return cause
	}
	switch err := r.saveState(); {
	case err == nil:
		return cause
	case errors.Is(cause, context.Canceled):
		return fmt.Errorf("stopped after step %d: %w", r.at.Step, err)
	default:
		return errors.Join(cause, err)
	}
}
