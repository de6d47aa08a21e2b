package detect

import (
	"context"
	"fmt"

	"acdclip/pkg/batching"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/events"
	"acdclip/pkg/inspection"
	"acdclip/pkg/model/methods"
	"acdclip/pkg/published"
	"acdclip/pkg/trained"
)

// Settings choose a model for another program, as acdclip's flags do. The zero value is the
// small built-in model.
type Settings struct {
	CLIP           string   // path or name of CLIP's weights; "" for the built-in CLIP
	Checkpoint     string   // path or name of trained parameters; "" for the built-in ones, or none for a method that learns nothing
	Method         string   // "" for that of the checkpoint, else acdclip
	Files          []string // configuration files in YAML; later ones override earlier ones
	Set            []string // KEY=VALUE, as in "device=cpu" or "data.max_pixels=50000000"; override Files
	AllowOtherCLIP bool     // accept a checkpoint that was trained on another CLIP

	Batching   batching.Options
	MaxClasses int                // classes that are kept prepared; 0 for DefaultMaxClasses
	Emit       func(events.Event) // receives notices and warnings; nil for none
}

// DefaultMaxClasses is the default of Settings.MaxClasses.
const DefaultMaxClasses = 256

// OpenInspector loads a model for many goroutines. The caller closes the Inspector, which
// frees the model.
//
// Environment variables are not read, but for those that tell where the native library is:
// see docs/library.md.
func OpenInspector(ctx context.Context, s Settings) (*inspection.Inspector, error) {
	options, err := s.Options()
	if err != nil {
		return nil, err
	}
	d, err := Open(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("opening the model: %w", err)
	}
	return d.Inspector(s.Batching), nil
}

// Options loads the configuration, with the built-in weights where none are given.
func (s Settings) Options() (Options, error) {
	table := methods.All()
	o := Options{Methods: table, Checkpoint: s.Checkpoint, AllowOtherCLIP: s.AllowOtherCLIP, Emit: s.Emit, MaxClasses: s.MaxClasses}
	if o.Emit == nil {
		o.Emit = func(events.Event) {}
	}
	if o.MaxClasses <= 0 {
		o.MaxClasses = DefaultMaxClasses
	}
	sources := config.Sources{Files: s.Files, Set: s.Set, Flags: map[string]any{}, OwnModel: true}
	if s.Checkpoint != "" {
		if of := trained.MethodsOf(s.Checkpoint, table.Cards(), published.All()); len(of) == 1 {
			sources.Method = of[0]
		}
	}
	for key, value := range map[string]string{"clip": s.CLIP, "method": s.Method} {
		if value != "" {
			sources.Flags[key] = value
		}
	}
	loaded, err := table.Catalog().Load(sources)
	if err != nil {
		return Options{}, err
	}
	o.Config, o.Checkpoint, err = trained.UseBuiltin(table.Cards(), loaded, o.Checkpoint, func(key string, value any) (config.Loaded, error) {
		sources.Flags[key] = value
		return table.Catalog().Load(sources)
	})
	o.Config.Config.Data.EXIFOrientation = o.Config.Config.Data.EXIFOrientation.Own()
	return o, err
}

// Inspector returns an Inspector, which takes over the Detector: nothing else may use it, and
// closing the Inspector closes it.
func (d *Detector) Inspector(o batching.Options) *inspection.Inspector {
	return inspection.New(d, inspection.Options{
		Batching: o, Decode: DecodeOptions(d.Model.Loaded.Config),
		PromptOf: func(class string) string { return section.PromptName(d.Model.Options, section.ClassNamed(class)) },
	})
}

// DecodeOptions say how a configuration reads pictures.
func DecodeOptions(c config.Config) picture.DecodeOptions {
	return picture.DecodeOptions{MaxPixels: c.Data.MaxPixels, EXIF: c.Data.EXIFOrientation.Applies(), Bits: c.Data.Depth.Bits()}
}
