package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"acdclip/internal/ui"
	"acdclip/pkg/conditions"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/data"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/tiling"
	"acdclip/pkg/trained"
)

// detectorOptions choose the model that scores the user's own pictures, and what it is told
// about them. predict, calibrate and serve share them.
type detectorOptions struct {
	app            *app
	config         configFlags
	checkpoint     string
	class          string
	classKnown     bool // a dataset names it
	classFrom      classSource
	datasets       []datasetArgument // that the configuration must know
	domain         domain.Domain
	batch          int
	maxClasses     int // that are kept prepared; 0 for all
	tiles          tiling.Options
	allowOtherCLIP bool
}

// classSource says where the classes of pictures come from, instead of --class.
type classSource string

const classFromFolder classSource = "folder"

func newDetectorOptions(a *app) detectorOptions {
	return detectorOptions{app: a, domain: domain.Industrial}
}

func (o *detectorOptions) register(flags *pflag.FlagSet) {
	o.registerModel(flags)
	ui.Choice(flags, &o.classFrom, "class-from", []classSource{classFromFolder}, "use the name of each picture's folder as its class")
	flags.IntVar(&o.batch, "batch", 4, "`N` pictures, or tiles of one, per forward pass")
	o.registerTiles(flags)
}

// registerModel adds the flags that a service has too, whose pictures are no files.
func (o *detectorOptions) registerModel(flags *pflag.FlagSet) {
	flags.StringVar(&o.checkpoint, "checkpoint", "", "`FILE` checkpoint: trained parameters from acdclip train, a file of the method's authors, or a name of acdclip weights list; not for methods that learn nothing")
	flags.StringVar(&o.class, "class", "object", "`NAME` what the pictures show, for the text prompts; _ stands for a space, unless the method keeps it")
	ui.Choice(flags, &o.domain, "domain", []domain.Domain{domain.Industrial, domain.Medical}, "domain of the pictures; chooses score weights and smoothing")
	flags.BoolVar(&o.allowOtherCLIP, "allow-other-clip", false, "accept a checkpoint that was trained on another CLIP")
	o.config.registerConfig(flags)
}

// checkFlags finds contradictions between these flags.
func (o *detectorOptions) checkFlags() error {
	switch {
	case o.classFrom != "" && o.config.flags.Changed("class"):
		return usagef("--class and --class-from contradict each other")
	case strings.TrimSpace(o.class) == "":
		return usagef("--class is empty")
	}
	if err := o.checkTiles(); err != nil {
		return err
	}
	return positive("--batch", o.batch)
}

// loadModel loads the configuration, with the built-in weights where none are given, and
// checks what can be checked before any value is read.
func (o *detectorOptions) loadModel() (config.Loaded, error) {
	o.app.useMethodOf(&o.config, o.checkpoint)
	loaded, err := o.app.load(&o.config, o.datasets, true)
	if err != nil {
		return loaded, err
	}
	if loaded, o.checkpoint, err = o.app.useBuiltin(&o.config, o.datasets, loaded, o.checkpoint); err != nil {
		return loaded, err
	}
	loaded.Config.Data.EXIFOrientation = loaded.Config.Data.EXIFOrientation.Own()
	if err := o.requireCheckpoint(loaded); err != nil {
		return loaded, err
	}
	if err := detect.Check(loaded.Config); err != nil {
		return loaded, err
	}
	if o.checkpoint != "" {
		_, err = trained.Read(o.checkpoint, o.app.methods.Cards(), loaded)
	}
	return loaded, err
}

// requireCheckpoint wants a checkpoint where the method needs one.
func (o *detectorOptions) requireCheckpoint(loaded config.Loaded) error {
	if o.checkpoint == "" && !loaded.Card.Needs(loaded.Config.Model) {
		return nil
	}
	return requireFile("--checkpoint", o.checkpoint, "give a file of trained parameters, from `acdclip train` or the method's authors"+o.app.published.Hint(loaded.Config.Method)+
		"; "+noCheckpointNeeded(loaded.Config.Method))
}

// open loads the model and says what it is. The caller closes it.
func (o *detectorOptions) open(ctx context.Context, loaded config.Loaded) (*detect.Detector, error) {
	detector, err := detect.Open(ctx, detect.Options{
		Methods: o.app.methods, Config: loaded, Checkpoint: o.checkpoint, AllowOtherCLIP: o.allowOtherCLIP, MaxClasses: o.maxClasses, Emit: o.app.emit,
	})
	if err != nil {
		return nil, err
	}
	if m := detector.Model; m.Path == "" {
		o.app.emit(events.Notice{Text: fmt.Sprintf("method %s (%s), preset %s: nothing is trained", m.Metadata.Method, m.Options.Variant().Label, m.Metadata.Preset)})
	}
	if err := o.app.tell(&o.config, detector.Model.Configuration()); err != nil {
		detector.Close()
		return nil, err
	}
	o.tellClass(detector.Model.Options)
	return detector, nil
}

// tellClass says which class the prompts name where the user has not, unless the method's
// prompts name none.
func (o *detectorOptions) tellClass(model section.Model) {
	if o.config.flags.Changed("class") || o.classKnown || o.classFrom != "" || !namesClass(model) {
		return
	}
	advice := "--class NAME says it better"
	if o.config.flags.Lookup("class-from") != nil {
		advice += ", --class-from folder takes the folders' names"
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("the prompts call what the pictures show %q; %s", o.class, advice)})
}

// namesClass reports whether a model's prompts name what pictures show.
func namesClass(model section.Model) bool {
	return section.PromptName(model, section.Class{Name: "a", Prompt: "a"}) != section.PromptName(model, section.Class{Name: "b", Prompt: "b"})
}

// classOf names what a picture shows.
func (o *detectorOptions) classOf(input data.Found) section.Class {
	if o.classFrom != classFromFolder {
		return section.ClassNamed(o.class)
	}
	path, err := filepath.Abs(input.Path)
	if err != nil {
		path = input.Path
	}
	folder := filepath.Base(filepath.Dir(path))
	return section.Class{Name: folder, Prompt: data.SpokenName(folder)}
}

// promptOf returns the prompt name of a picture's class.
func (o *detectorOptions) promptOf(model section.Model) func(data.Found) string {
	return func(input data.Found) string { return section.PromptName(model, o.classOf(input)) }
}

// classCondition says for conditions what the prompts say the pictures show: spellings that
// become the same prompts are the same.
func (o *detectorOptions) classCondition(model section.Model) string {
	if o.classFrom == classFromFolder {
		return o.classText()
	}
	return o.promptOf(model)(data.Found{})
}

// classText says what the prompts say the pictures show, as it was given.
func (o *detectorOptions) classText() string {
	if o.classFrom == classFromFolder {
		return "the name of each picture's folder"
	}
	return o.class
}

// The names of conditions that differ between the requests of a service.
const (
	classCondition  = "class"
	domainCondition = "domain"
)

// conditions returns what scores depend on, besides the pictures.
func (o *detectorOptions) conditions(detector *detect.Detector, c config.Config) (conditions.Record, error) {
	machine, err := detector.Machine()
	if err != nil {
		return nil, err
	}
	m := detector.Model
	record, err := conditions.Flattened(conditions.Numbers, "model.", m.Options)
	if err != nil {
		return nil, fmt.Errorf("describing the model: %w", err)
	}
	return slices.Concat(record, machine.Conditions(), o.tileConditions(), conditions.Record{
		conditions.Of(conditions.Numbers, "method", m.Metadata.Method),
		conditions.Of(conditions.Numbers, trained.CLIPCondition, machine.CLIP.Fingerprint),
		conditions.Of(conditions.Numbers, "CLIP's activation", machine.Activation),
		conditions.Of(conditions.Numbers, "precision", detector.Precision()),
		conditions.Of(conditions.Numbers, "the checkpoint's content", m.Source.Fingerprint),
		conditions.Of(conditions.Numbers, classCondition, o.classCondition(m.Options)),
		conditions.Of(conditions.Numbers, domainCondition, o.domain),
		conditions.Of(conditions.Numbers, "data.exif_orientation", c.Data.EXIFOrientation.Applies()),
		conditions.Of(conditions.Bits, "--batch", o.batch),
	}, conditions.Unusual(conditions.Numbers, "data.depth", c.Data.Depth.Bits(), 0)), nil
}

// withoutPath returns a picture's error without its path at the start, which stands beside it.
func withoutPath(err error, path string) string { return strings.TrimPrefix(err.Error(), path+": ") }
