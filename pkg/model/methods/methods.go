// Package methods is the table of the methods that there are: one row a method.
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
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
)

// Row is one method: what it is, and how it is built.
type Row struct {
	card.Card

	// Check says why a model with these options cannot stand on a CLIP of that shape, or
	// why values (nil: none) are not those of its parameters. It reads none.
	Check func(arch pretrained.Arch, own section.Model, values model.Values) error
	// Complete fills in what the options leave to the CLIP; nil: they leave nothing.
	Complete func(arch pretrained.Arch, own section.Model) (section.Model, error)
	// New builds the method; one that Learns is a model.Trainable. It is called inside
	// Do; the parameters belong to s.
	New func(s *torch.Scope, o model.Options) (model.Method, error)
}

// Table holds methods; the first is the default.
type Table []Row

// All are the methods of this program.
func All() Table {
	return Table{
		{
			Card: options.Card(), Check: acdclip.Check, Complete: acdclip.Complete,
			New: func(s *torch.Scope, o model.Options) (model.Method, error) { return acdclip.New(s, o) },
		},
	}
}

// Find gives the method of that name; else the error wraps card.ErrUnknown.
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
		return nil, fmt.Errorf("the method %s learns nothing, so it cannot be trained", r.Name)
	}
	return trainable, nil
}

// Cards describe the methods.
func (t Table) Cards() card.List {
	list := make(card.List, len(t))
	for i, row := range t {
		list[i] = row.Card
	}
	return list
}

// Catalog is what a configuration may name.
func (t Table) Catalog() config.Catalog {
	catalog := config.Catalog{Methods: t.Cards()}
	for _, format := range clip.Formats() {
		catalog.Precisions = append(catalog.Precisions, format.Name)
	}
	return catalog
}
