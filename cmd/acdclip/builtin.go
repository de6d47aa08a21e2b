package main

import (
	"acdclip/pkg/builtin"
	"acdclip/pkg/config"
	"acdclip/pkg/trained"
)

// noCheckpointNeeded says what needs no checkpoint, to follow an error about a missing one.
func noCheckpointNeeded(method string) string {
	if method != builtin.Method {
		return "the built-in checkpoint is for --method " + builtin.Method + ", and --method winclip needs none"
	}
	return "without --clip and --checkpoint the small built-in model is used, and --method winclip needs no checkpoint"
}

// useBuiltin is trained.UseBuiltin, and tells of the built-in CLIP.
func (a *app) useBuiltin(c *configFlags, datasets []datasetArgument, loaded config.Loaded, checkpoint string) (_ config.Loaded, used string, err error) {
	loaded, used, err = trained.UseBuiltin(a.methods.Cards(), loaded, checkpoint, a.setter(c, datasets, true))
	a.tellBuiltin(loaded)
	return loaded, used, err
}

// useBuiltinSize is trained.UseBuiltinSize, and tells of the built-in CLIP.
func (a *app) useBuiltinSize(c *configFlags, datasets []datasetArgument, loaded config.Loaded, fromCheckpoint, ownModel bool) (config.Loaded, error) {
	a.tellBuiltin(loaded)
	return trained.UseBuiltinSize(loaded, fromCheckpoint, a.setter(c, datasets, ownModel))
}

func (a *app) tellBuiltin(loaded config.Loaded) {
	if loaded.Config.Clip == builtin.Tiny {
		a.noticeOnce(builtin.About)
	}
}

// setter loads the configuration again with a value for a key that nothing sets.
func (a *app) setter(c *configFlags, datasets []datasetArgument, ownModel bool) trained.Setter {
	return func(key string, value any) (config.Loaded, error) {
		if c.values == nil {
			c.values = map[string]any{}
		}
		c.values[key] = value
		return a.load(c, datasets, ownModel)
	}
}
