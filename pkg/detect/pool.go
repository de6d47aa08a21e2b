package detect

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/scoring"
	"acdclip/pkg/trained"
)

// errChanged reports a checkpoint whose file has changed since it was described.
var errChanged = errors.New("it has changed since the evaluation started")

// Pool returns the Detectors of several models, one at a time. It loads a CLIP again only
// if a model needs another one, or another image size, activation or number format. Pool
// implements evaluation.Detectors.
type Pool struct {
	Methods        methods.Table
	AllowOtherCLIP bool
	Emit           func(events.Event)

	backbone *Backbone
	model    trained.Model // that the backbone was loaded for
	told     []events.Event

	identities map[clipKey]pretrained.Identity // of the CLIPs that are read
}

// clipKey says how a CLIP is read.
type clipKey struct {
	path  string
	heads config.ClipHeads
}

// Open loads the CLIP for the first model, and rejects models that do not match their CLIP
// or were trained on another one, before anything is scored.
func (p *Pool) Open(ctx context.Context, checkpoints []*trained.Model) (scoring.Machine, error) {
	if err := p.load(ctx, *checkpoints[0]); err != nil {
		return scoring.Machine{}, err
	}
	machine, err := p.backbone.Machine()
	if err != nil {
		return scoring.Machine{}, err
	}
	first := checkpoints[0].Loaded.Config
	p.identities = map[clipKey]pretrained.Identity{{first.Clip, first.ClipHeads}: p.backbone.Identity}
	for _, m := range checkpoints {
		if err := p.check(*m); err != nil {
			if name := m.Source.Model; name != "" {
				err = fmt.Errorf("models.%s: %w", name, err)
			}
			return scoring.Machine{}, err
		}
	}
	p.Emit(p.backbone.Conditions())
	return machine, nil
}

// check rejects a model that does not match its CLIP, or was trained on another one.
func (p *Pool) check(m trained.Model) error {
	method, parameters, err := p.parts(m)
	if err != nil {
		return err
	}
	defer parameters.Close()
	clip, err := trained.OpenCLIP(m.Loaded.Config)
	if err != nil {
		return err
	}
	defer clip.Close()
	if err := method.Check(clip.Arch, m.Options, valuesOf(parameters)); err != nil {
		return fmt.Errorf("CLIP %s: %w", m.Loaded.Config.Clip, err)
	}
	if m.Metadata.CLIP == "" {
		return nil // an identity takes a reading of the whole file
	}
	key := clipKey{m.Loaded.Config.Clip, m.Loaded.Config.ClipHeads}
	identity, known := p.identities[key]
	if !known {
		if identity, err = clip.Identity(); err != nil {
			return err
		}
		p.identities[key] = identity
	}
	return fits(m, m.Loaded.Config.Clip, identity, p.AllowOtherCLIP, p.once)
}

// Machine describes the CLIP, software and hardware of the Backbone.
func (b *Backbone) Machine() (scoring.Machine, error) {
	libtorch, err := torch.Version()
	if err != nil {
		return scoring.Machine{}, err
	}
	hardware, err := torch.Hardware(b.Runtime.Device())
	if err != nil {
		return scoring.Machine{}, err
	}
	return scoring.Machine{CLIP: b.Source, Activation: b.own, Device: b.Runtime.Device().String(), Threads: b.Runtime.Threads(), Libtorch: libtorch, Hardware: hardware}, nil
}

// load loads CLIP for a checkpoint, unless the loaded one can be reused.
func (p *Pool) load(ctx context.Context, m trained.Model) error {
	if p.backbone != nil && p.model.SameCLIP(&m) && p.backbone.serves(m.Options) {
		return nil
	}
	p.Close() // before loading: two CLIPs may need too much memory
	method, parameters, err := p.parts(m)
	if err != nil {
		return err
	}
	defer parameters.Close()
	p.backbone, err = OpenBackbone(ctx, Scoring, method, m.Loaded.Config, m.Options, valuesOf(parameters))
	if err != nil {
		return err
	}
	p.model = m
	p.backbone.Tell(p.once, ActivationSet(m.Loaded))
	return nil
}

// once emits an event unless it has been emitted: a CLIP may be loaded several times.
func (p *Pool) once(event events.Event) {
	if !slices.Contains(p.told, event) {
		p.told = append(p.told, event)
		p.Emit(event)
	}
}

// parts returns a model's method, and its open checkpoint, nil if it needs none. The caller
// closes the checkpoint.
func (p *Pool) parts(m trained.Model) (method methods.Row, parameters *checkpoint.Checkpoint, err error) {
	if method, err = p.Methods.Find(m.Metadata.Method); err != nil || m.Path == "" {
		return method, nil, err
	}
	parameters, err = checkpoint.Open(m.Path, p.Methods.Cards())
	return method, parameters, err
}

// valuesOf returns a checkpoint (nil: none) as a source of values.
func valuesOf(parameters *checkpoint.Checkpoint) model.Values {
	if parameters == nil {
		return nil // not an interface that holds nil
	}
	return parameters
}

// Detector returns the Detector of a checkpoint. The caller closes it before asking for
// the next.
func (p *Pool) Detector(ctx context.Context, m *trained.Model) (scoring.Detector, error) {
	if err := p.load(ctx, *m); err != nil {
		return nil, err
	}
	if err := p.backbone.Fits(*m, p.AllowOtherCLIP, p.once); err != nil {
		return nil, err
	}
	method, parameters, err := p.parts(*m)
	if err != nil {
		return nil, err
	}
	defer parameters.Close()
	if parameters != nil && parameters.Fingerprint != m.Source.Fingerprint {
		return nil, fmt.Errorf("checkpoint %s: %w; use a file that no running training writes to", m.Path, errChanged)
	}
	return p.backbone.Detector(method, parameters, *m, p.AllowOtherCLIP, p.once)
}

// Close closes the loaded CLIP.
func (p *Pool) Close() {
	if p.backbone != nil {
		p.backbone.Close()
	}
	p.backbone = nil
}
