package training

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/conditions"
	"acdclip/pkg/config"
	"acdclip/pkg/digest"
	"acdclip/pkg/events"
	"acdclip/pkg/trained"
	"acdclip/pkg/weights"
)

// ErrOtherRun reports that a run cannot be resumed because something it depends on has changed.
var ErrOtherRun = errors.New("the run cannot be resumed")

// asStarted resolves automatic settings (threads, device) to the values that the run started with.
func asStarted(c config.Config, started checkpoint.Metadata) config.Config {
	if c.Threads == 0 {
		c.Threads = started.Threads
	}
	if c.Device == config.DeviceAuto && started.Device == "cpu" {
		c.Device = "cpu"
	}
	return c
}

// continues checks that the run can be resumed from state. The error names what differs.
func (r *run) continues(state *checkpoint.State) error {
	now := checkpoint.State{Metadata: r.metadata, Prompts: r.prompts(), HeldOut: r.heldList(), Contents: r.Contents}
	then := *state
	// The format version and the numbers of epochs may differ.
	then.Metadata.Format, then.Metadata.Epoch, then.Metadata.Recipe.Epochs = now.Metadata.Format, now.Metadata.Epoch, now.Metadata.Recipe.Epochs
	if r.backbone.Identity.Is(then.Metadata.CLIP) { // Is also accepts the fingerprints of earlier versions
		then.Metadata.CLIP = now.Metadata.CLIP
	}
	return sameRun(then, now)
}

// sameRun checks that two states have the same conditions. The error names what differs.
func sameRun(then, now checkpoint.State) error {
	there, err := conditionsOf(then)
	if err != nil {
		return err
	}
	here, err := conditionsOf(now)
	if err != nil {
		return err
	}
	if err := there.Compare(here); err != nil {
		return otherRun(err)
	}
	return nil
}

// otherRun returns the error for a run that cannot be resumed; changed names the change.
func otherRun(changed error) error {
	return fmt.Errorf("%w because this has changed since it started: %w; restore it or start a new run", ErrOtherRun, changed)
}

// CheckRunCLIP checks that a configuration names the CLIP that the run of state was
// trained on. Otherwise the error wraps ErrOtherRun.
func CheckRunCLIP(c config.Config, state *checkpoint.State) error {
	identity, err := trained.IdentifyCLIP(c)
	if err != nil {
		return err
	}
	if identity.Is(state.Metadata.CLIP) {
		return nil
	}
	return otherRun(errors.New(trained.CLIPCondition))
}

// CheckRun checks that the dataset is the one that the run of state was trained on.
// Otherwise the error wraps ErrOtherRun and names what differs.
func (o Options) CheckRun(state *checkpoint.State) error {
	learned, held, err := o.split()
	if err != nil {
		return err
	}
	o.Set = learned
	r := &run{Options: o, held: held, metadata: state.Metadata}
	r.metadata.Auxiliary, r.metadata.ListHash = learned.Name, learned.ListHash()
	now := checkpoint.State{Metadata: r.metadata, Prompts: r.prompts(), HeldOut: r.heldList(), Contents: o.Contents}
	return sameRun(*state, now)
}

// conditionsOf lists the conditions of a training that its state records.
func conditionsOf(state checkpoint.State) (conditions.Record, error) {
	m := state.Metadata
	prompts, err := json.Marshal(state.Prompts)
	if err != nil {
		return nil, fmt.Errorf("describing the prompt names: %w", err)
	}
	record := conditions.Record{
		conditions.Of(conditions.Numbers, trained.CLIPCondition, m.CLIP),
		conditions.Of(conditions.Numbers, "the dataset's name", m.Auxiliary),
		conditions.Of(conditions.Numbers, "the list of pictures, classes and masks", m.ListHash),
		conditions.Of(conditions.Numbers, "the contents of pictures or masks", state.Contents),
		conditions.Of(conditions.Numbers, "the list of what is held out, or the dataset's domain", hashed(state.HeldOut)),
		conditions.Of(conditions.Numbers, "the prompt names", hashed(string(prompts))),
		conditions.Of(conditions.Numbers, "the mask threshold", m.Recipe.MaskThreshold),
		conditions.Of(conditions.Bits, "threads", m.Threads),
		conditions.Of(conditions.Bits, "device", m.Device),
		conditions.Of(conditions.Bits, "hardware", m.Versions.Hardware),
		conditions.Of(conditions.Bits, "acdclip's version", m.Versions.Acdclip),
		conditions.Of(conditions.Bits, "libtorch's version", m.Versions.Libtorch),
	}
	// The rest comes from the configuration. Clear what is listed above.
	m.CLIP, m.Auxiliary, m.ListHash, m.Recipe.MaskThreshold, m.Threads, m.Device = "", "", "", 0, 0, ""
	m.Versions, m.Prompts = checkpoint.Versions{}, nil
	rest, err := conditions.Flattened(conditions.Numbers, "the configuration's ", m)
	return append(record, rest...), err
}

// hashed returns the hash of a text that is too long to record.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return digest.SHA256(sum[:])
}

// prompts returns the prompt name of each class, including held-out classes.
func (r *run) prompts() map[string]string {
	prompts := maps.Clone(r.promptOf)
	if r.held != nil {
		for _, class := range r.held.Classes {
			prompts[class.Name] = r.held.PromptOf(r.Config.Model, class)
		}
	}
	return prompts
}

// heldList returns the list hash of the held-out rows and the domain, which affects their scores; "" without validation.
func (r *run) heldList() string {
	if r.held == nil {
		return ""
	}
	return string(r.held.Domain) + " " + r.held.ListHash()
}

// begin opens the log and saves the first state, so that the run can be resumed from the start.
func (r *run) begin() error {
	r.began, r.saved = time.Now(), time.Now()
	if err := r.Folder.Begin(r.at.LogLines); err != nil {
		return err
	}
	if r.Resume != nil {
		return nil
	}
	return r.saveState()
}

// saveInTime saves the state if train.save_minutes have passed or if r.Save requests it.
func (r *run) saveInTime() error {
	select {
	case <-r.Save:
		err := r.saveState()
		if err == nil {
			r.Emit(events.Notice{Text: fmt.Sprintf("saved the state after step %d; training continues", r.at.Step)})
		}
		return err
	default:
	}
	if time.Since(r.saved).Minutes() < r.Config.Train.SaveMinutes {
		return nil
	}
	return r.saveState()
}

// saveEpoch writes the checkpoint of the epoch that has just ended, then the state. If the
// program is killed in between, the resumed run repeats everything after the last state
// and writes the same files.
func (r *run) saveEpoch() error {
	metadata := r.metadata
	metadata.Epoch = r.at.Epoch - 1
	var parameters []weights.Value
	err := r.backbone.Runtime.Do(context.Background(), func(*torch.Scope) error {
		parameters = r.trainer.parameters()
		return nil
	})
	if err != nil {
		return err
	}
	best := r.at.Best != nil && r.at.Best.Epoch == metadata.Epoch
	err = r.Folder.WriteEpoch(metadata.Epoch, best, func(w io.Writer) error { return checkpoint.Encode(w, metadata, parameters) })
	if err != nil {
		return fmt.Errorf("writing checkpoint: %w", err)
	}
	return r.saveState()
}

// saveState writes the state after the last complete step. It syncs the log first, because
// the state counts the log's lines.
func (r *run) saveState() error {
	state := checkpoint.State{Metadata: r.metadata, Prompts: r.prompts(), HeldOut: r.heldList(), Contents: r.Contents, Place: r.at}
	state.Metadata.Epoch = r.at.Epoch - 1
	state.Place.Seconds = r.seconds()
	err := r.backbone.Runtime.Do(context.Background(), func(*torch.Scope) error {
		r.trainer.save(&state)
		return nil
	})
	if err == nil {
		err = r.Folder.SyncLog()
	}
	if err == nil {
		if err = r.Folder.WriteState(func(w io.Writer) error { return checkpoint.EncodeState(w, state) }); err != nil {
			err = fmt.Errorf("saving the state: %w", err)
		}
	}
	r.saved, r.unsaved = time.Now(), err
	return err
}

// stopped saves the state of a run that ends early and returns its cause. It does not save
// in the middle of a step or if saving is what failed.
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
