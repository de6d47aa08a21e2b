// Package engine holds the loops: train, evaluate, predict. It emits events and
// results and never prints.
package engine

import (
	"context"
	"errors"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/report"
)

// ErrOtherCLIP reports a checkpoint that was trained on another CLIP than the one given.
var ErrOtherCLIP = errors.New("the checkpoint belongs to another CLIP")

// ErrNoCLIP reports a configuration that names no CLIP.
var ErrNoCLIP = errors.New("no CLIP weights were given; --clip names them: OpenAI's ViT-L-14-336px.pt, a Hugging Face or open_clip folder, or what `acdclip weights init DIR` made")

// DetectorOptions say what a Detector is made of.
type DetectorOptions struct {
	Config         config.Loaded      // the CLIP, the device, and what overrides the checkpoint's model
	Checkpoint     string             // path of the trained adapters
	AllowOtherCLIP bool               // take a checkpoint that was trained on another CLIP
	Emit           func(events.Event) // where notices and warnings go
}

// Trained describes trained adapters, and the model that they score with.
type Trained struct {
	Path     string
	Metadata checkpoint.Metadata // what the checkpoint says of itself
	Model    config.Model        // the model in use: the checkpoint's with what was set over it
	Changes  []string            // what was set over it, in words
	Source   report.Checkpoint   // the checkpoint, for results
}

// ReadTrained reads a checkpoint's description; c holds what overrides its model.
func ReadTrained(path string, c config.Loaded) (Trained, error) {
	adapters, err := checkpoint.Open(path)
	if err != nil {
		return Trained{}, err
	}
	defer adapters.Close()
	return describeTrained(adapters, c)
}

func describeTrained(adapters *checkpoint.Checkpoint, c config.Loaded) (Trained, error) {
	metadata := adapters.Metadata
	options, changes, err := config.OverlayModel(metadata.Model, c)
	if err != nil {
		return Trained{}, err
	}
	setup, err := metadata.SetupHash()
	if err != nil {
		return Trained{}, fmt.Errorf("checkpoint %s: %w", adapters.Path, err)
	}
	return Trained{
		Path: adapters.Path, Metadata: metadata, Model: options, Changes: changes,
		Source: report.Checkpoint{
			Source: report.Source{Path: adapters.Path, Fingerprint: adapters.Fingerprint},
			Method: string(metadata.Method), Preset: string(metadata.Preset), Auxiliary: metadata.Auxiliary,
			Groups: options.Groups, Adapter: string(options.Adapter.Kind), Fusion: string(options.Fusion.Kind),
			Seed: metadata.Seed, Setup: setup,
		},
	}, nil
}

// Detector is a trained method on a device, ready to score pictures. It may be
// used from one goroutine at a time.
type Detector struct {
	Trained
	CLIP   report.Source // the CLIP, for results
	base   *base
	scope  *torch.Scope // of the method's parameters, and of what is prepared
	method model.Method

	prepared map[model.Class]model.Prepared // each of one class
}

// OpenDetector loads CLIP and the checkpoint. The caller closes the Detector.
func OpenDetector(ctx context.Context, o DetectorOptions) (*Detector, error) {
	adapters, err := checkpoint.Open(o.Checkpoint)
	if err != nil {
		return nil, err
	}
	defer adapters.Close()
	trained, err := describeTrained(adapters, o.Config)
	if err != nil {
		return nil, err
	}
	for _, change := range trained.Changes {
		o.Emit(events.Notice{Text: change})
	}
	base, err := openBaseFor(ctx, o.Config.Config, trained.Model, adapters)
	if err != nil {
		return nil, err
	}
	base.tell(o.Emit, activationSet(o.Config))
	if err := base.fits(trained, o.AllowOtherCLIP, o.Emit); err != nil {
		base.close()
		return nil, err
	}
	d, err := base.detector(adapters, trained)
	if err != nil {
		base.close()
		return nil, err
	}
	o.Emit(base.conditions(d.Model.ImageSize))
	return d, nil
}

// fits refuses, or where that is allowed warns of, a checkpoint that was trained on another CLIP.
func (b *base) fits(trained Trained, allowOther bool, emit func(events.Event)) error {
	switch want := trained.Metadata.CLIP; {
	case want == "" || b.identity.Is(want):
		return nil
	case !allowOther:
		return fmt.Errorf("%w: %s was trained on %s, and %s is %s; give that CLIP, or --allow-other-clip to go on",
			ErrOtherCLIP, trained.Path, want, b.source.Path, b.source.Fingerprint)
	}
	emit(events.Warning{Text: fmt.Sprintf("%s was trained on another CLIP than %s", trained.Path, b.source.Path)})
	return nil
}

// detector puts an open checkpoint on the CLIP. The caller frees it, or closes it
// with the CLIP.
func (b *base) detector(adapters *checkpoint.Checkpoint, trained Trained) (*Detector, error) {
	d := &Detector{Trained: trained, CLIP: b.source, base: b, scope: b.runtime.NewScope(), prepared: map[model.Class]model.Prepared{}}
	method, err := b.method(d.scope, d.Metadata.Method, model.Options{Model: d.Model, Loss: d.Metadata.Loss, Values: adapters})
	if err != nil {
		d.free()
		return nil, err
	}
	d.method = method
	return d, nil
}

// free frees the adapters; the CLIP stays.
func (d *Detector) free() { _ = d.scope.Close() } // it fails only when the Runtime is closed already

// Close frees what the Detector holds.
func (d *Detector) Close() {
	d.free()
	d.base.close()
}

// Input is what the method wants its pictures to be.
func (d *Detector) Input() model.Input { return d.method.Input() }

// base is a CLIP on a device.
type base struct {
	runtime   *torch.Runtime
	scope     *torch.Scope
	clip      *clip.Model
	tokenizer *tokenizer.Tokenizer
	identity  pretrained.Identity
	source    report.Source

	note             string // what is assumed of the CLIP, to be told; "" for nothing
	activationNote   string // what is to be told of the activation; "" for nothing
	activationUnsaid bool   // the CLIP does not say its own
}

// activationSet says whether the user chose the towers' activation.
func activationSet(c config.Loaded) bool {
	_, set := c.Set["model.activation"]
	return set
}

// tell emits what is assumed of the CLIP. An activation other than the CLIP's own is
// a warning only where the user chose it: the presets' is that of ACD-CLIP's authors.
func (b *base) tell(emit func(events.Event), activationSet bool) {
	if b.note != "" {
		emit(events.Warning{Text: b.source.Path + ": " + b.note})
	}
	switch {
	case b.activationNote == "":
	case b.activationUnsaid || activationSet:
		emit(events.Warning{Text: b.activationNote})
	default:
		emit(events.Notice{Text: b.activationNote})
	}
}

// openCLIP opens the CLIP that a configuration names. The caller closes it.
func openCLIP(c config.Config) (*pretrained.Checkpoint, error) {
	if c.Clip == "" {
		return nil, ErrNoCLIP
	}
	return pretrained.OpenWith(c.Clip, pretrained.Options{Heads: pretrained.Heads(c.ClipHeads)})
}

// CheckModel finds what would keep the CLIP that a configuration names from being
// loaded on its device, as far as that can be told without reading its values:
// the CLIP's files, libtorch, the device.
func CheckModel(c config.Config) error {
	weights, err := openCLIP(c)
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

// clipOf identifies the CLIP of a configuration by its content, which it reads.
func clipOf(c config.Config) (pretrained.Identity, error) {
	weights, err := openCLIP(c)
	if err != nil {
		return pretrained.Identity{}, err
	}
	defer weights.Close()
	identity, err := weights.Identity()
	if err != nil {
		return pretrained.Identity{}, fmt.Errorf("reading CLIP %s: %w", c.Clip, err)
	}
	return identity, nil
}

// openBase loads the CLIP that the configuration names for a model's options.
func openBase(ctx context.Context, c config.Config, options config.Model) (*base, error) {
	return openBaseFor(ctx, c, options, nil)
}

// openBaseFor is openBase for a model whose parameters have values. Whether CLIP,
// options and values fit each other is found before any value is read.
func openBaseFor(ctx context.Context, c config.Config, options config.Model, values model.Values) (*base, error) {
	weights, err := openCLIP(c)
	if err != nil {
		return nil, err
	}
	defer weights.Close()
	if err := methods.Check(c.Method, weights.Arch, options, values); err != nil {
		return nil, fmt.Errorf("CLIP %s: %w", c.Clip, err)
	}
	device, err := torch.ParseDevice(string(c.Device))
	if err != nil {
		return nil, err
	}
	b := &base{note: weights.Note}
	b.activationNote, b.activationUnsaid = clip.ActivationNote(options.Activation, weights)
	if b.tokenizer, err = tokenizer.New(); err != nil {
		return nil, err
	}
	if b.runtime, err = torch.Open(torch.Options{Device: device, Threads: c.Threads}); err != nil {
		return nil, err
	}
	b.scope = b.runtime.NewScope()
	err = b.runtime.Do(ctx, func(*torch.Scope) error {
		b.clip, err = clip.Load(ctx, b.scope, weights, clip.Options{ImageSize: options.ImageSize, Activation: options.Activation, Precision: c.Precision, Recompute: c.Train.CheckpointActivations})
		return err
	})
	if err != nil {
		b.close()
		return nil, fmt.Errorf("loading CLIP %s: %w", c.Clip, err)
	}
	if b.identity, err = weights.Identity(); err != nil { // of values that were read just now
		b.close()
		return nil, fmt.Errorf("loading CLIP %s: %w", c.Clip, err)
	}
	b.source = report.Source{Path: c.Clip, Fingerprint: b.identity.Fingerprint}
	return b, nil
}

func (b *base) close() {
	_ = b.scope.Close() // it fails only when the Runtime is closed already
	b.runtime.Close()
}

// conditions tells what decides how long the work takes.
func (b *base) conditions(imageSize int) events.Notice {
	threads := fmt.Sprintf("%d threads", b.runtime.Threads())
	if b.runtime.Threads() == 1 {
		threads = "1 thread"
	}
	text := fmt.Sprintf("pictures are scaled to %d x %d pixels; the model runs on %s with %s",
		imageSize, imageSize, b.runtime.Device(), threads)
	if b.clip.Precision != config.PrecisionFP32 {
		text += fmt.Sprintf(", CLIP's matrices in %s", b.clip.Precision)
	}
	return events.Notice{Text: text}
}

// method builds a method on the CLIP, with its parameters in scope.
func (b *base) method(scope *torch.Scope, name config.Method, o model.Options) (method model.Trainable, err error) {
	o.CLIP, o.Tokenizer = b.clip, b.tokenizer
	err = b.runtime.Do(context.Background(), func(*torch.Scope) error {
		method, err = methods.New(scope, name, o)
		return err
	})
	return method, err
}
