// Package toymethod is a method for tests. It shows that a method needs only one folder and
// one row in the table. It scores bright pixels as anomalous, learns the threshold, and
// does not use CLIP.
package toymethod

import (
	"context"
	"errors"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/card"
	"acdclip/pkg/model/methods"
)

// Row returns the method's row for the table of methods.
func Row() methods.Row {
	return methods.Row{
		Card: card.Card{
			Name: "bright", Title: "Bright", Doc: "bright pixels are anomalous",
			Presets: []card.Preset{{
				Name:  "plain",
				Model: func() section.Model { return &Options{Side: 28, Gain: 1} },
				Loss:  func() section.Section { return &Loss{Weight: 1} },
			}},
			Learns: true,
		},
		Check: check,
		New:   func(s *torch.Scope, o model.Options) (model.Method, error) { return newMethod(s, o) },
	}
}

// Options is the model: section.
type Options struct {
	Side int     `json:"side" range:"[1,1024]" runtime:"yes" doc:"side of the pictures in pixels, a multiple of CLIP's patch"`
	Gain float64 `json:"gain" range:"(0,inf)" doc:"factor on the brightness"`
}

// Contradictions rejects a gain of 13, as an example of a mistake.
func (o *Options) Contradictions() []*section.Error {
	if o.Gain == 13 {
		return []*section.Error{{Key: "model.gain", Problem: "is 13, which brings bad luck"}}
	}
	return nil
}

// Input is how CLIP must be loaded.
func (o *Options) Input() section.Input {
	return section.Input{Size: o.Side, Activation: activation.Auto}
}

// Variant identifies the model by its gain.
func (o *Options) Variant() section.Variant {
	label := fmt.Sprintf("gain %g", o.Gain)
	return section.Variant{Slug: fmt.Sprintf("g%g", o.Gain), Label: label, Long: label, Fields: []section.Field{{Name: "gain", Value: fmt.Sprint(o.Gain)}}}
}

// Facts describe the model.
func (o *Options) Facts() []section.Fact {
	return []section.Fact{{Name: "gain", Text: fmt.Sprint(o.Gain)}}
}

// Loss is the loss: section.
type Loss struct {
	Weight float64 `json:"weight" range:"(0,inf)" doc:"weight of the only term"`
}

// Contradictions returns nil.
func (l *Loss) Contradictions() []*section.Error { return nil }

// method has one parameter, [1]: the brightness above which pixels are anomalous.
type method struct {
	options   Options
	loss      Loss
	threshold torch.Tensor
}

var errOptions = errors.New("the options belong to another method")

func parameters() []checkpoint.Spec { return []checkpoint.Spec{{Name: "threshold", Shape: []int64{1}}} }

func check(arch pretrained.Arch, own section.Model, values model.Values) error {
	o, ok := own.(*Options)
	switch {
	case !ok:
		return errOptions
	case o.Side%arch.Patch != 0:
		return fmt.Errorf("model.side %d is not a multiple of the patch", o.Side)
	case values == nil:
		return nil
	}
	return values.Match(parameters())
}

func newMethod(s *torch.Scope, o model.Options) (*method, error) {
	own, ok := o.Model.(*Options)
	loss, alsoOK := o.Loss.(*Loss)
	if !ok || !alsoOK {
		return nil, errOptions
	}
	if err := errors.Join(config.Validate("model", own), config.Validate("loss", loss)); err != nil {
		return nil, err
	}
	m := &method{options: *own, loss: *loss}
	spec := parameters()[0]
	var err error
	m.threshold, err = s.LoadFloat32(func(values []float32) error {
		if o.Values != nil {
			return o.Values.Read(spec.Name, values)
		}
		values[0] = 0.5
		return nil
	}, spec.Shape...)
	return m, err
}

func (m *method) Input() model.Input {
	return model.Input{Size: m.options.Side, Mean: [3]float32{0, 0, 0}, Std: [3]float32{1, 1, 1}}
}

// classes is the prepared value: the number of classes.
type classes int

func (m *method) Prepare(_ context.Context, _ *torch.Scope, c domain.Classes) (model.Prepared, error) {
	return classes(len(c.Prompts)), nil
}

func (m *method) Join(_ *torch.Scope, parts []model.Prepared) (model.Prepared, error) {
	total := classes(0)
	for _, part := range parts {
		total += part.(classes)
	}
	return total, nil
}

// maps returns the probability [B, S, S] of each pixel being too bright.
func (m *method) maps(pictures torch.Tensor) torch.Tensor {
	size := int64(m.options.Side)
	grey := pictures.Mean(1).Reshape(pictures.Dim(0), 1, size*size).Transpose(1, 2) // [B, S*S, 1]
	over := grey.MulScalar(m.options.Gain).Sub(m.threshold).MulScalar(4)
	both := torch.Cat(-1, over.MulScalar(-1), over).Softmax(-1) // [B, S*S, 2]
	return both.Narrow(2, 1, 1).Reshape(pictures.Dim(0), size, size)
}

func (m *method) Score(_ *torch.Scope, pictures torch.Tensor, _ []int, _ model.Prepared) (model.Scores, error) {
	maps := m.maps(pictures)
	return model.Scores{Maps: maps, Image: maps.AMax(1, 2), Extras: []model.Extra{{Name: "brightness", Values: pictures.Mean(1, 2, 3)}}}, nil
}

func (m *method) Loss(_ context.Context, _ *torch.Scope, batch model.Batch) (model.Loss, error) {
	difference := m.maps(batch.Pictures).Sub(batch.Masks)
	squared := difference.Mul(difference).Mean()
	return model.Loss{Total: squared.MulScalar(m.loss.Weight), Parts: []model.LossPart{{Name: "squared", Value: squared}}}, nil
}

func (m *method) Groups() []model.ParameterGroup {
	return []model.ParameterGroup{{Side: model.VisionSide, Parameters: []model.Parameter{{Name: parameters()[0].Name, Tensor: m.threshold}}}}
}
