package detect

import (
	"context"
	"errors"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/plural"
	"acdclip/pkg/report"
	"acdclip/pkg/trained"
)

// ErrOtherCLIP reports a checkpoint that was trained on another CLIP than the one given.
var ErrOtherCLIP = errors.New("the checkpoint belongs to another CLIP")

// Backbone is a frozen CLIP on a device, loaded for one method's model. The caller
// closes it.
type Backbone struct {
	Runtime  *torch.Runtime
	Scope    *torch.Scope // lives as long as the Backbone
	CLIP     *clip.Model
	Identity pretrained.Identity
	Source   report.Source // the CLIP, for results
	own      activation.Activation

	method    methods.Row
	options   section.Model // what it was loaded for
	tokenizer *tokenizer.Tokenizer

	note             string // what is assumed of the CLIP, to be told; "" for nothing
	activationNote   string // what is to be told of the activation; "" for nothing
	activationUnsaid bool   // the CLIP does not say its own
}

// OpenBackbone loads the CLIP that a configuration names for a model's options. Whether
// CLIP, options and values (nil: none) fit each other is found before any value is read.
func OpenBackbone(ctx context.Context, method methods.Row, c config.Config, options section.Model, values model.Values) (*Backbone, error) {
	weights, err := trained.OpenCLIP(c)
	if err != nil {
		return nil, err
	}
	defer weights.Close()
	if err := method.Check(weights.Arch, options, values); err != nil {
		return nil, fmt.Errorf("CLIP %s: %w", c.Clip, err)
	}
	device, err := torch.ParseDevice(string(c.Device))
	if err != nil {
		return nil, err
	}
	b := &Backbone{method: method, options: options, note: weights.Note, own: weights.OwnActivation()}
	b.activationNote, b.activationUnsaid = clip.ActivationNote(options.TowerActivation(), weights)
	if b.tokenizer, err = tokenizer.New(); err != nil {
		return nil, err
	}
	if b.Runtime, err = torch.Open(torch.Options{Device: device, Threads: c.Threads}); err != nil {
		return nil, err
	}
	b.Scope = b.Runtime.NewScope()
	err = b.Runtime.Do(ctx, func(*torch.Scope) error {
		b.CLIP, err = clip.Load(ctx, b.Scope, weights, clip.Options{
			ImageSize: options.InputSize(), Activation: options.TowerActivation(), Precision: string(c.Precision), Recompute: c.Train.Recompute,
		})
		return err
	})
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("loading CLIP %s: %w", c.Clip, err)
	}
	if b.Identity, err = weights.Identity(); err != nil { // of values that were read just now
		b.Close()
		return nil, fmt.Errorf("loading CLIP %s: %w", c.Clip, err)
	}
	b.Source = report.Source{Path: c.Clip, Fingerprint: b.Identity.Fingerprint}
	return b, nil
}

// Close frees the CLIP, and with the Runtime all that lives in it.
func (b *Backbone) Close() {
	_ = b.Scope.Close() // it fails only when the Runtime is closed already
	b.Runtime.Close()
}

// serves says whether the CLIP as it was loaded serves another model too.
func (b *Backbone) serves(options section.Model) bool {
	return options.InputSize() == b.options.InputSize() && options.TowerActivation() == b.options.TowerActivation()
}

// Tell emits what is assumed of the CLIP. An activation other than the CLIP's own is a
// warning only where the user chose it: the presets' is that of the methods' authors.
func (b *Backbone) Tell(emit func(events.Event), activationSet bool) {
	if b.note != "" {
		emit(events.Warning{Text: b.Source.Path + ": " + b.note})
	}
	switch {
	case b.activationNote == "":
	case b.activationUnsaid || activationSet:
		emit(events.Warning{Text: b.activationNote})
	default:
		emit(events.Notice{Text: b.activationNote})
	}
}

// ActivationSet says whether the user chose the towers' activation.
func ActivationSet(c config.Loaded) bool {
	_, set := c.Set["model.activation"]
	return set
}

// Conditions tells what decides how long the work takes.
func (b *Backbone) Conditions() events.Notice {
	text := fmt.Sprintf("pictures are scaled to %d x %d pixels; the model runs on %s with %s",
		b.options.InputSize(), b.options.InputSize(), b.Runtime.Device(), plural.Of(b.Runtime.Threads(), "thread", "threads"))
	if b.CLIP.Precision != clip.Formats()[0].Name {
		text += fmt.Sprintf(", CLIP's matrices in %s", b.CLIP.Precision)
	}
	return events.Notice{Text: text}
}

// Fits refuses, or where that is allowed warns of, a checkpoint that was trained on another CLIP.
func (b *Backbone) Fits(m trained.Model, allowOther bool, emit func(events.Event)) error {
	switch want := m.Metadata.CLIP; {
	case want == "" || b.Identity.Is(want):
		return nil
	case !allowOther:
		return fmt.Errorf("%w: %s was trained on %s, and %s is %s; give that CLIP, or --allow-other-clip to go on",
			ErrOtherCLIP, m.Path, want, b.Source.Path, b.Source.Fingerprint)
	}
	emit(events.Warning{Text: fmt.Sprintf("%s was trained on another CLIP than %s", m.Path, b.Source.Path)})
	return nil
}

// Complete fills in what a model's options leave to the CLIP.
func (b *Backbone) Complete(options section.Model) (section.Model, error) {
	if b.method.Complete == nil {
		return options, nil
	}
	return b.method.Complete(b.CLIP.Arch, options)
}

// Trainable builds the method for training, with its parameters in the Backbone's scope.
func (b *Backbone) Trainable(o model.Options) (method model.Trainable, err error) {
	o.CLIP, o.Tokenizer = b.CLIP, b.tokenizer
	err = b.Runtime.Do(context.Background(), func(*torch.Scope) error {
		method, err = b.method.Trainable(b.Scope, o)
		return err
	})
	return method, err
}

// Detector puts an open checkpoint (nil: none) on the CLIP. Closing the Detector frees
// the method's parameters; the CLIP stays.
func (b *Backbone) Detector(method methods.Row, parameters *checkpoint.Checkpoint, m trained.Model) (*Detector, error) {
	d := newDetector(b, b.Runtime.NewScope(), nil)
	d.Model = m
	o := model.Options{CLIP: b.CLIP, Tokenizer: b.tokenizer, Model: m.Options, Loss: m.Metadata.Loss}
	if parameters != nil {
		o.Values = parameters
	}
	err := b.Runtime.Do(context.Background(), func(*torch.Scope) (err error) {
		d.method, err = method.New(d.scope, o)
		return err
	})
	if err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// DetectorOf scores with a method that is being trained, as it is now. Closing the
// Detector frees what it has prepared, and neither the method nor the CLIP.
func (b *Backbone) DetectorOf(method model.Method) *Detector {
	return newDetector(b, b.Runtime.NewScope(), method)
}

// Check finds what would keep the CLIP that a configuration names from being loaded on
// its device, as far as that can be told without reading its values: the CLIP's files,
// libtorch, the device.
func Check(c config.Config) error {
	weights, err := trained.OpenCLIP(c)
	if err != nil {
		return err
	}
	if err := weights.Close(); err != nil {
		return fmt.Errorf("reading CLIP %s: %w", c.Clip, err)
	}
	if _, err := torch.Find(); err != nil {
		return err
	}
	_, err = torch.ParseDevice(string(c.Device))
	return err
}
