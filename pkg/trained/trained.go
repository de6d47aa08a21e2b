// Package trained is what scores, as its files describe it: a checkpoint with the
// options that it is used with, what it was trained on, and the CLIP below it. It is
// pure Go and reads no more of the weights than it has to.
package trained

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/digest"
	"acdclip/pkg/model/card"
	"acdclip/pkg/report"
)

// Model is a method's trained parameters, and the options that they are used with.
type Model struct {
	Path     string              // of the checkpoint; "" for a method that needs none
	Metadata checkpoint.Metadata // what the checkpoint says of itself
	Options  section.Model       // the model in use: the checkpoint's with what was set over it
	Changes  []string            // what was set over it, in words
	Source   report.Checkpoint   // for results
}

// Read describes a checkpoint of one of the methods; c holds what overrides its model.
func Read(path string, methods card.List, c config.Loaded) (Model, error) {
	parameters, err := checkpoint.Open(path, methods)
	if err != nil {
		return Model{}, err
	}
	defer parameters.Close()
	return Describe(parameters, c)
}

// Describe is Read of an open checkpoint.
func Describe(parameters *checkpoint.Checkpoint, c config.Loaded) (Model, error) {
	metadata := parameters.Metadata
	options, changes, err := config.OverlayModel(metadata.Model, c)
	if err != nil {
		return Model{}, err
	}
	setup, err := metadata.SetupHash()
	if err != nil {
		return Model{}, fmt.Errorf("checkpoint %s: %w", parameters.Path, err)
	}
	return Model{
		Path: parameters.Path, Metadata: metadata, Options: options, Changes: changes,
		Source: report.Checkpoint{
			Source: report.Source{Path: parameters.Path, Fingerprint: parameters.Fingerprint},
			Method: metadata.Method, Preset: metadata.Preset, Auxiliary: metadata.Auxiliary,
			Variant: options.Variant(), Seed: metadata.Seed, Setup: setup,
		},
	}, nil
}

// Untrained is the model of a method that needs no checkpoint: what the configuration says.
func Untrained(c config.Config) (Model, error) {
	text, err := json.Marshal(c.Model)
	if err != nil {
		return Model{}, fmt.Errorf("describing the model: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s", c.Method, text))
	metadata := checkpoint.Metadata{Method: c.Method, Preset: c.Preset, Model: c.Model, Loss: c.Loss, Auxiliary: NoAuxiliary}
	return Model{
		Metadata: metadata, Options: c.Model,
		Source: report.Checkpoint{
			Source: report.Source{Fingerprint: digest.SHA256(sum[:])},
			Method: c.Method, Preset: c.Preset, Auxiliary: NoAuxiliary, Variant: c.Model.Variant(),
		},
	}, nil
}

// Configuration is a configuration with the model in use in the place of its own.
func (m *Model) Configuration(c config.Config) config.Config {
	if c.Method != m.Metadata.Method {
		c.Method, c.Preset, c.Loss = m.Metadata.Method, m.Metadata.Preset, m.Metadata.Loss
	}
	c.Model = m.Options
	return c
}

// NoAuxiliary stands for the auxiliary dataset of a model that was trained on none.
const NoAuxiliary = "none"

// Name names the model in messages.
func (m *Model) Name() string {
	if m.Path == "" {
		return "method " + m.Metadata.Method
	}
	return m.Path
}
