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

// ErrOtherCLIP reports a checkpoint that was trained on another CLIP than the given one.
var ErrOtherCLIP = model.ErrOtherCLIP

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
	options   section.Model // the model section that it was loaded for
	tokenizer *tokenizer.Tokenizer

	note             string // assumptions about the CLIP that the user must know; "" for none
	activationNote   string // message about the activation; "" for none
	activationUnsaid bool   // the CLIP's files do not name its activation
}

// Use is what a Backbone is used for.
type Use int

const (
	Scoring  Use = iota // no gradients are needed, so products are faster
	Training            // gradients flow through the towers
)

// OpenBackbone loads the CLIP that a configuration names for a model's options, in the
// number format that SettlePrecision returns. It checks that CLIP, options and values (nil:
// none) match before it reads any values.
func OpenBackbone(ctx context.Context, use Use, method methods.Row, c config.Config, options section.Model, values model.Values) (*Backbone, error) {
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
	if c.Precision == config.PrecisionFastest {
		if c.Precision, err = SettlePrecision(ctx, use, c, options, func(events.Event) {}); err != nil {
			return nil, err
		}
	}
	if err := clip.CheckFormat(string(c.Precision), use.needs(device)); err != nil {
		return nil, err
	}
	input := options.Input()
	b := &Backbone{method: method, options: options, note: weights.Note, own: weights.OwnActivation()}
	b.activationNote, b.activationUnsaid = clip.ActivationNote(input.Activation, weights)
	if b.tokenizer, err = tokenizer.New(); err != nil {
		return nil, err
	}
	if b.Runtime, err = torch.Open(torch.Options{Device: device, Threads: c.Threads}); err != nil {
		return nil, err
	}
	b.Scope = b.Runtime.NewScope()
	err = b.Runtime.Do(ctx, func(*torch.Scope) error {
		b.CLIP, err = clip.Load(ctx, b.Scope, weights, clip.Options{
			ImageSize: input.Size, Activation: input.Activation, Positions: input.Positions, Precision: string(c.Precision),
			Inference: use == Scoring, Recompute: c.Train.Recompute,
		})
		return err
	})
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("loading CLIP %s: %w", c.Clip, err)
	}
	if b.Identity, err = weights.Identity(); err != nil { // after loading, so that the values need no second reading
		b.Close()
		return nil, fmt.Errorf("loading CLIP %s: %w", c.Clip, err)
	}
	b.Source = report.Source{Path: c.Clip, Fingerprint: b.Identity.Fingerprint}
	return b, nil
}

// Close frees the CLIP and closes the Runtime.
func (b *Backbone) Close() {
	_ = b.Scope.Close() // fails only if the Runtime is already closed
	b.Runtime.Close()
}

// serves reports whether the loaded CLIP can also be used for another model.
func (b *Backbone) serves(options section.Model) bool {
	return options.Input() == b.options.Input()
}

// Tell emits the notes about the CLIP. An activation that differs from the CLIP's own is a
// warning only if the user chose it, because presets use the activation of the methods'
// authors.
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

// ActivationSet reports whether the user set the towers' activation.
func ActivationSet(c config.Loaded) bool {
	_, set := c.Set["model.activation"]
	return set
}

// Conditions returns a notice about what determines the speed: image size, device, threads
// and precision.
func (b *Backbone) Conditions() events.Notice {
	text := fmt.Sprintf("pictures are scaled to %d x %d pixels; the model runs on %s with %s",
		b.options.Input().Size, b.options.Input().Size, b.Runtime.Device(), plural.Of(b.Runtime.Threads(), "thread", "threads"))
	if b.CLIP.Precision != clip.Formats()[0].Name {
		text += fmt.Sprintf(", CLIP's matrices in %s", b.CLIP.Precision)
	}
	return events.Notice{Text: text}
}

// Fits returns an error for a checkpoint that was trained on another CLIP, or emits a
// warning if allowOther is true.
func (b *Backbone) Fits(m trained.Model, allowOther bool, emit func(events.Event)) error {
	return fits(m, b.Source.Path, b.Identity, allowOther, emit)
}

// fits is Fits for the CLIP at a path.
func fits(m trained.Model, clip string, identity pretrained.Identity, allowOther bool, emit func(events.Event)) error {
	switch want := m.Metadata.CLIP; {
	case want == "" || identity.Is(want):
		return nil
	case !allowOther:
		return fmt.Errorf("%w: %s was trained on %s, but %s is %s; use that CLIP, or --allow-other-clip to continue anyway",
			ErrOtherCLIP, m.Path, want, clip, identity.Fingerprint)
	}
	emit(events.Warning{Text: fmt.Sprintf("%s was trained on another CLIP than %s", m.Path, clip)})
	return nil
}

// Complete fills in the options that a model leaves to the CLIP.
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

// Detector builds a Detector from an open checkpoint (nil: none) on the CLIP. Closing the
// Detector frees the method's parameters but not the CLIP. Warnings go to emit.
func (b *Backbone) Detector(method methods.Row, parameters *checkpoint.Checkpoint, m trained.Model, allowOther bool, emit func(events.Event)) (*Detector, error) {
	d := newDetector(b, b.Runtime.NewScope(), nil)
	d.Model = m
	o := model.Options{
		CLIP: b.CLIP, Tokenizer: b.tokenizer, Model: m.Options, Loss: m.Metadata.Loss, Values: valuesOf(parameters),
		AllowOtherCLIP: allowOther, Warn: func(text string) { emit(events.Warning{Text: text}) },
	}
	err := b.Runtime.Do(context.Background(), func(*torch.Scope) (err error) {
		d.method, err = method.New(d.scope, o)
		return err
	})
	if err != nil {
		d.Close()
		if errors.Is(err, ErrOtherCLIP) {
			err = fmt.Errorf("checkpoint %s: %w; use the CLIP that it was trained on, or --allow-other-clip to continue anyway", m.Path, err)
		}
		return nil, err
	}
	return d, nil
}

// DetectorOf returns a Detector for a method with its current parameters, for validation
// during training. Closing the Detector frees what it prepared, but neither the method nor
// the CLIP.
func (b *Backbone) DetectorOf(method model.Method) *Detector {
	return newDetector(b, b.Runtime.NewScope(), method)
}

// Check checks whether the CLIP that a configuration names can be loaded on its device,
// without reading the values: the CLIP's files, libtorch and the device.
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
