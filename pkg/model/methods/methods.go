// Package methods contains the table of all methods, with one row per method.
package methods

import (
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip"
	acdclipoptions "acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/adaclip"
	adaclipoptions "acdclip/pkg/model/adaclip/options"
	"acdclip/pkg/model/anomalyclip"
	anomalyclipoptions "acdclip/pkg/model/anomalyclip/options"
	"acdclip/pkg/model/card"
	"acdclip/pkg/model/clipad"
	clipadoptions "acdclip/pkg/model/clipad/options"
	"acdclip/pkg/model/winclip"
	winclipoptions "acdclip/pkg/model/winclip/options"
)

// Row describes a method and how to build it.
type Row struct {
	card.Card

	// Check returns an error if a model with these options cannot be built on a CLIP of that
	// architecture, or if values (nil: none) do not match its parameters. It reads no values.
	Check func(arch pretrained.Arch, own section.Model, values model.Values) error
	// Complete fills in the options that are taken from the CLIP; nil if there are none.
	Complete func(arch pretrained.Arch, own section.Model) (section.Model, error)
	// New builds the method. If the method Learns, the result is a model.Trainable. New must
	// be called inside Do; the parameters belong to s.
	New func(s *torch.Scope, o model.Options) (model.Method, error)
}

// Table is a list of methods; the first is the default.
type Table []Row

// All returns the methods of this program.
func All() Table {
	return Table{
		{Card: acdclipoptions.Card(), Check: acdclip.Check, Complete: acdclip.Complete, New: build(acdclip.New)},
		{Card: winclipoptions.Card(), Check: winclip.Check, New: build(winclip.New)},
		{Card: clipadoptions.Card(), Check: clipad.Check, Complete: clipad.Complete, New: build(clipad.New)},
		{Card: anomalyclipoptions.Card(), Check: anomalyclip.Check, Complete: anomalyclip.Complete, New: build(anomalyclip.New)},
		{Card: adaclipoptions.Card(), Check: adaclip.Check, Complete: adaclip.Complete, New: build(adaclip.New)},
	}
}

// build is a method's New with the interface as its result.
func build[M model.Method](create func(*torch.Scope, model.Options) (M, error)) func(*torch.Scope, model.Options) (model.Method, error) {
	return func(s *torch.Scope, o model.Options) (model.Method, error) {
		method, err := create(s, o)
		if err != nil {
			return nil, err
		}
		return method, nil
	}
}

// Find returns the method with that name. Otherwise the error wraps card.ErrUnknown.
func (t Table) Find(name string) (Row, error) {
	for _, row := range t {
		if row.Name == name {
			return row, nil
		}
	}
	_, err := t.Cards().Find(name)
	return Row{}, err
}

// Trainable builds a method that can be trained; see Row.New.
func (r Row) Trainable(s *torch.Scope, o model.Options) (model.Trainable, error) {
	method, err := r.New(s, o)
	if err != nil {
		return nil, err
	}
	trainable, ok := method.(model.Trainable)
	if !ok {
		return nil, fmt.Errorf("the method %s has no trainable parameters, so it cannot be trained", r.Name)
	}
	return trainable, nil
}

// Cards returns the descriptions of the methods.
func (t Table) Cards() card.List {
	list := make(card.List, len(t))
	for i, row := range t {
		list[i] = row.Card
	}
	return list
}

// Catalog returns the methods and number formats that a configuration may name.
func (t Table) Catalog() config.Catalog {
	catalog := config.Catalog{Methods: t.Cards()}
	for _, format := range clip.Formats() {
		catalog.Precisions = append(catalog.Precisions, format.Name)
	}
	return catalog
}
