// Package detect is the library's main entry point. Open loads a CLIP and a method's
// trained parameters once, Prepare computes and keeps the text features of classes, and
// Score scores pictures. Prediction, evaluation and validation use it.
package detect

import (
	"context"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/scoring"
	"acdclip/pkg/trained"
)

// Options configure a Detector.
type Options struct {
	Methods        methods.Table
	Config         config.Loaded      // the CLIP, the device, and settings that override options of the checkpoint
	Checkpoint     string             // path or name of the trained parameters; "" for a method that needs none
	AllowOtherCLIP bool               // accept a checkpoint that was trained on another CLIP
	Emit           func(events.Event) // receives notices and warnings
	MaxClasses     int                // classes that are kept prepared; 0 for no limit
}

// Detector is a method on a device, ready to score pictures. It is not safe for
// concurrent use.
type Detector struct {
	Model    trained.Model
	backbone *Backbone
	owned    bool         // Close also closes the Backbone
	scope    *torch.Scope // owns the method's parameters
	method   model.Method

	maxClasses int // 0 for no limit
	inFlight   int // forward passes that ScoreAll has under way at a time

	kept   keptClasses
	joined joined
}

var _ scoring.Detector = (*Detector)(nil)

func newDetector(b *Backbone, scope *torch.Scope, method model.Method) *Detector {
	d := &Detector{backbone: b, scope: scope, method: method, kept: keptClasses{}, inFlight: 1}
	if b.Runtime.Device().CUDA {
		d.inFlight = 2 // the second is launched while the device computes the first
	}
	return d
}

// Open loads CLIP and the checkpoint. The caller closes the Detector.
func Open(ctx context.Context, o Options) (*Detector, error) {
	var parameters *checkpoint.Checkpoint
	var m trained.Model
	var err error
	if o.Checkpoint == "" {
		m, err = trained.Untrained(o.Config)
	} else {
		if parameters, err = trained.OpenCheckpoint(o.Checkpoint, o.Methods.Cards(), o.Config.Config); err != nil {
			return nil, err
		}
		defer parameters.Close()
		m, err = trained.Describe(parameters, o.Config)
	}
	if err != nil {
		return nil, err
	}
	method, err := o.Methods.Find(m.Metadata.Method)
	if err != nil {
		return nil, err
	}
	if parameters == nil && method.Needs(m.Options) {
		return nil, fmt.Errorf("the method %s needs a checkpoint", method.Name)
	}
	for _, change := range m.Changes {
		o.Emit(events.Notice{Text: change})
	}
	if m.Loaded.Config.Precision, err = SettlePrecision(ctx, Scoring, o.Config.Config, m.Options, o.Emit); err != nil {
		return nil, err
	}
	backbone, err := OpenBackbone(ctx, Scoring, method, m.Loaded.Config, m.Options, valuesOf(parameters))
	if err != nil {
		return nil, err
	}
	backbone.Tell(o.Emit, ActivationSet(o.Config))
	if err := backbone.Fits(m, o.AllowOtherCLIP, o.Emit); err != nil {
		backbone.Close()
		return nil, err
	}
	d, err := backbone.Detector(method, parameters, m, o.AllowOtherCLIP, o.Emit)
	if err != nil {
		backbone.Close()
		return nil, err
	}
	d.owned, d.maxClasses = true, o.MaxClasses
	o.Emit(backbone.Conditions())
	return d, nil
}

// Close frees the Detector's memory.
func (d *Detector) Close() {
	d.joined.close()
	d.kept.keep(0)
	_ = d.scope.Close() // fails only if the Runtime is already closed
	if d.owned {
		d.backbone.Close()
	}
}

// Input describes the pictures that the method expects.
func (d *Detector) Input() model.Input { return d.method.Input() }

// Size is the side of the pictures and maps in pixels.
func (d *Detector) Size() int { return d.method.Input().Size }

// Precision is the number format of CLIP's matrices, never auto or fastest.
func (d *Detector) Precision() string { return d.backbone.CLIP.Precision }

// Machine describes the CLIP, software and hardware that scores depend on.
func (d *Detector) Machine() (scoring.Machine, error) { return d.backbone.Machine() }
