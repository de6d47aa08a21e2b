// Package trained describes a trained model by its files: the checkpoint, the options it
// is used with, the data it was trained on, and its CLIP. It is pure Go and reads no more
// of the weights than it must.
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

// Model describes a method's trained parameters and the options that they are used with.
type Model struct {
	Path       string              // of the checkpoint; "" for a method that needs none
	Metadata   checkpoint.Metadata // of the checkpoint
	Options    section.Model       // the model section in use: the checkpoint's, changed by the user's settings
	Changes    []string            // the changes to the checkpoint's section, in words
	Source     report.Checkpoint   // the checkpoint as results record it
	Companions map[string][]string // see checkpoint.Checkpoint
	Loaded     config.Loaded       // the configuration that it is used with: its CLIP, device and precision
}

// Read describes a checkpoint of one of the methods, given by a path or a name. Settings of c override options of its model.
func Read(source string, methods card.List, c config.Loaded) (Model, error) {
	parameters, err := OpenCheckpoint(source, methods, c.Config)
	if err != nil {
		return Model{}, err
	}
	defer parameters.Close()
	return Describe(parameters, c)
}

// Describe is like Read, for an open checkpoint.
func Describe(parameters *checkpoint.Checkpoint, c config.Loaded) (Model, error) {
	metadata := parameters.Metadata
	options, changes, err := config.OverlayModel(metadata.Method, metadata.Model, c)
	if err != nil {
		return Model{}, err
	}
	setup, err := metadata.SetupHash()
	if err != nil {
		return Model{}, fmt.Errorf("checkpoint %s: %w", parameters.Path, err)
	}
	return Model{
		Loaded: c, Companions: parameters.Companions, Path: parameters.Path, Metadata: metadata, Options: options, Changes: changes,
		Source: report.Checkpoint{
			Source: report.Source{Path: parameters.Path, Fingerprint: parameters.Fingerprint},
			Method: metadata.Method, Preset: metadata.Preset, Auxiliary: metadata.Auxiliary,
			Variant: options.Variant(), Seed: metadata.Seed, Setup: setup,
		},
	}, nil
}

// Untrained describes the model of a method that needs no checkpoint, from the configuration alone.
func Untrained(loaded config.Loaded) (Model, error) {
	if err := loaded.CheckModel(); err != nil {
		return Model{}, err
	}
	c := loaded.Config
	text, err := json.Marshal(c.Model)
	if err != nil {
		return Model{}, fmt.Errorf("describing the model: %w", err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s", c.Method, text))
	metadata := checkpoint.Metadata{Method: c.Method, Preset: c.Preset, Model: c.Model, Loss: c.Loss, Auxiliary: NoAuxiliary}
	return Model{
		Loaded: loaded, Metadata: metadata, Options: c.Model,
		Source: report.Checkpoint{
			Source: report.Source{Fingerprint: digest.SHA256(sum[:])},
			Method: c.Method, Preset: c.Preset, Auxiliary: NoAuxiliary, Variant: c.Model.Variant(),
		},
	}, nil
}

// SameCLIP reports whether two models use the same CLIP in the same number format.
func (m *Model) SameCLIP(other *Model) bool {
	a, b := m.Loaded.Config, other.Loaded.Config
	return a.Clip == b.Clip && a.ClipHeads == b.ClipHeads && a.Precision.Format() == b.Precision.Format()
}

// Configuration returns the configuration with its model section replaced by the one in use.
func (m *Model) Configuration() config.Config {
	c := m.Loaded.Config
	if c.Method != m.Metadata.Method {
		c.Method, c.Preset, c.Loss = m.Metadata.Method, m.Metadata.Preset, m.Metadata.Loss
	}
	c.Model = m.Options
	return c
}

// NoAuxiliary is the auxiliary dataset recorded for a model that was not trained.
const NoAuxiliary = "none"

// Name returns the model's name for messages.
func (m *Model) Name() string {
	if m.Path == "" {
		return "method " + m.Metadata.Method
	}
	return m.Path
}
