// Package detect is the library's door: Open loads a CLIP and a method's trained
// parameters once, Prepare keeps what the method computes of the classes, and Score
// scores pictures. Prediction, evaluation and validation go through it.
package detect

import (
	"context"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/scoring"
	"acdclip/pkg/trained"
)

// Options say what a Detector is made of.
type Options struct {
	Methods        methods.Table
	Config         config.Loaded      // the CLIP, the device, and what overrides the checkpoint's model
	Checkpoint     string             // path of the trained parameters; "" for a method that needs none
	AllowOtherCLIP bool               // take a checkpoint that was trained on another CLIP
	Emit           func(events.Event) // where notices and warnings go
}

// Detector is a method on a device, ready to score pictures. It may be used from one
// goroutine at a time.
type Detector struct {
	Model    trained.Model
	backbone *Backbone
	owned    bool         // the Detector closes the Backbone too
	scope    *torch.Scope // of the method's parameters, and of what is prepared
	method   model.Method

	prepared map[class]model.Prepared // each of one class
	joined   joined
}

var _ scoring.Detector = (*Detector)(nil)

// class is one kind of thing to look at.
type class struct {
	prompt string
	of     domain.Domain
}

func newDetector(b *Backbone, scope *torch.Scope, method model.Method) *Detector {
	return &Detector{backbone: b, scope: scope, method: method, prepared: map[class]model.Prepared{}}
}

// Open loads CLIP and the checkpoint. The caller closes the Detector.
func Open(ctx context.Context, o Options) (*Detector, error) {
	var parameters *checkpoint.Checkpoint
	var values model.Values
	m, err := trained.Untrained(o.Config.Config)
	if o.Checkpoint != "" {
		if parameters, err = checkpoint.Open(o.Checkpoint, o.Methods.Cards()); err != nil {
			return nil, err
		}
		defer parameters.Close()
		values = parameters
		m, err = trained.Describe(parameters, o.Config)
	}
	if err != nil {
		return nil, err
	}
	method, err := o.Methods.Find(m.Metadata.Method)
	if err != nil {
		return nil, err
	}
	if method.NeedsCheckpoint && parameters == nil {
		return nil, fmt.Errorf("the method %s needs a checkpoint", method.Name)
	}
	for _, change := range m.Changes {
		o.Emit(events.Notice{Text: change})
	}
	backbone, err := OpenBackbone(ctx, method, o.Config.Config, m.Options, values)
	if err != nil {
		return nil, err
	}
	backbone.Tell(o.Emit, ActivationSet(o.Config))
	if err := backbone.Fits(m, o.AllowOtherCLIP, o.Emit); err != nil {
		backbone.Close()
		return nil, err
	}
	d, err := backbone.Detector(method, parameters, m)
	if err != nil {
		backbone.Close()
		return nil, err
	}
	d.owned = true
	o.Emit(backbone.Conditions())
	return d, nil
}

// Close frees what the Detector holds.
func (d *Detector) Close() {
	d.joined.close()
	_ = d.scope.Close() // it fails only when the Runtime is closed already
	if d.owned {
		d.backbone.Close()
	}
}

// Input is what the method wants its pictures to be.
func (d *Detector) Input() model.Input { return d.method.Input() }

// Size is the side of the pictures and maps in pixels.
func (d *Detector) Size() int { return d.method.Input().Size }
