package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"acdclip/cgo/torch"
	"acdclip/internal/rundir"
	"acdclip/internal/ui"
	"acdclip/pkg/config"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
	"acdclip/pkg/present"
	"acdclip/pkg/trained"
)

// configFlags are the flags that make a configuration.
type configFlags struct {
	display    ui.Options
	verbose    bool
	files, set []string
	values     map[string]any // by key, of the flags that were given
	method     string         // the method if nothing sets one; "" for the first

	flags *pflag.FlagSet
	bound map[string]binding // by flag
}

// binding is a flag that sets a key of the configuration.
type binding struct {
	key   string
	value func() any
}

// registerSources adds the flags that every verb with a configuration has.
func (c *configFlags) registerSources(flags *pflag.FlagSet) {
	c.flags, c.bound = flags, map[string]binding{}
	c.display.Register(flags)
	flags.StringArrayVar(&c.files, "config", nil, "`FILE` YAML configuration; repeatable, later files override earlier ones")
	flags.StringArrayVar(&c.set, "set", nil, "`KEY=VALUE` set a configuration key, as in model.image_size=518; repeatable")
}

// registerConfig adds the flags of the verbs that run a model.
func (c *configFlags) registerConfig(flags *pflag.FlagSet) {
	c.registerSources(flags)
	flags.BoolVar(&c.verbose, "verbose", false, "also show the complete configuration and the libtorch in use")
	c.bindText("method", "method", "`NAME` anomaly detection method, see \"acdclip help methods\" (default: the checkpoint's, else acdclip)")
	c.bindText("preset", "preset", "`NAME` the method's preset, which gives every value not set elsewhere (default: the method's first)")
	c.bindText("clip", "clip", "`PATH` CLIP weights: OpenAI's file, a Hugging Face or open_clip folder, or a name such as openai:ViT-L/14@336 or builtin:tiny (see acdclip weights list)")
	c.bindText("device", "device", "`DEVICE` where the model runs: auto, cpu, cuda or cuda:N (default auto: a GPU if there is one)")
	c.bindText("precision", "precision", "`FORMAT` number format of CLIP's matrices: auto, fastest, fp32, bf16 or int8 (default auto: fp32; the others change results slightly; int8 is for scoring on a CPU; fastest measures which one is fastest here)")
	threads := flags.Int("threads", 0, "`N` CPU threads for the model (default: one per core, or what the container allows)")
	c.bound["threads"] = binding{"threads", func() any { return *threads }}
}

func (c *configFlags) bindText(flag, key, usage string) {
	value := c.flags.String(flag, "", usage)
	c.bound[flag] = binding{key, func() any { return *value }}
}

// bindSeed is for verbs that draw something at random.
func (c *configFlags) bindSeed(usage string) {
	seed := c.flags.Uint64("seed", 0, usage)
	c.bound["seed"] = binding{"seed", func() any { return *seed }}
}

// bindSelection is for the verb whose configuration holds the selection from its dataset.
func (c *configFlags) bindSelection() {
	var s selection
	s.register(c.flags)
	c.bound["classes"] = binding{"train.classes", func() any { return s.classes }}
	c.bound["limit"] = binding{"train.limit", func() any { return s.limit }}
}

// load reads the configuration. Each of the datasets, flags' arguments NAME,
// NAME=PATH or PATH, is one of its roots afterwards. With ownModel the model
// will be a checkpoint's.
func (a *app) load(c *configFlags, datasets []datasetArgument, ownModel bool) (config.Loaded, error) {
	a.screen.Use(c.display)
	flags := map[string]any{}
	maps.Copy(flags, c.values)
	if c.flags != nil {
		c.flags.Visit(func(f *pflag.Flag) {
			if bound, ok := c.bound[f.Name]; ok {
				flags[bound.key] = bound.value()
			}
		})
	}
	for _, dataset := range datasets {
		if dataset.path != "" {
			flags["data.roots."+dataset.name] = dataset.path
		}
	}
	sources := config.Sources{Files: c.files, Env: a.environment, Set: c.set, Flags: flags, OwnModel: ownModel, Method: c.method}
	catalog := a.methods.Catalog()
	loaded, err := catalog.Load(sources)
	if err != nil {
		return config.Loaded{}, err
	}
	for _, dataset := range datasets {
		if _, known := loaded.Config.Data.Roots[dataset.name]; known {
			continue
		}
		if !present.Any(dataset.name) {
			return config.Loaded{}, unknownDataset(dataset.name, loaded.Config)
		}
		flags["data.roots."+dataset.name] = dataset.name
		if loaded, err = catalog.Load(sources); err != nil {
			return config.Loaded{}, err
		}
	}
	for _, note := range loaded.Notes {
		a.noticeOnce(note) // the configuration may be loaded several times
	}
	return loaded, nil
}

// useMethodOf takes the method of checkpoints for the configuration's where nothing else
// names one, if all are of one method. A file that cannot be read is told of when it is used.
func (a *app) useMethodOf(c *configFlags, checkpoints ...string) {
	var methods []string
	for _, path := range checkpoints {
		if path != "" {
			methods = append(methods, trained.MethodsOf(path, a.methods.Cards(), a.published)...)
		}
	}
	if methods = slices.Compact(methods); len(methods) == 1 {
		c.method = methods[0]
	}
}

// tell shows the complete configuration in use and the libtorch, when that is wanted.
func (a *app) tell(c *configFlags, used config.Config) error {
	if !c.verbose {
		return nil
	}
	text, err := used.YAML()
	if err != nil {
		return err
	}
	library, err := torch.Find()
	if err != nil {
		return err
	}
	a.emit(events.Notice{Text: "libtorch: " + library.Libtorch})
	for line := range strings.Lines(string(text)) {
		a.emit(events.Notice{Text: strings.TrimRight(line, "\n")})
	}
	return nil
}

func unknownDataset(name string, c config.Config) error {
	known := "the configuration names none"
	if len(c.Data.Roots) > 0 {
		known = "known: " + strings.Join(slices.Sorted(maps.Keys(c.Data.Roots)), ", ")
	}
	return usagef("unknown dataset %q (%s); give NAME=PATH, or a path, or list it under data.roots", name, known)
}

// loadOptions say how pictures are read.
func loadOptions(c config.Config) pixels.LoadOptions {
	return pixels.LoadOptions{
		Workers: c.Data.Workers, BilinearMasks: c.Data.Masks == config.MasksBilinear,
		Decode: detect.DecodeOptions(c),
	}
}

// positive checks a flag that counts.
func positive(flag string, value int) error {
	if value < 1 {
		return usagef("%s %d: must be at least 1", flag, value)
	}
	return nil
}

// checkNotRun names the checkpoint in a run folder that is given in its place.
func checkNotRun(flag, path string) error {
	if last := rundir.RunFolderCheckpoint(path); last != "" {
		return usagef("%s %s is a run folder: did you mean %s?", flag, path, last)
	}
	return nil
}

// requireFile wants the value of a flag to be a path.
func requireFile(flag, path, otherwise string) error {
	if path == "" {
		return usageError{fmt.Errorf("no %s: %s", flag, otherwise)}
	}
	return checkNotRun(flag, path)
}
