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

// useBuiltin takes the built-in weights for what nothing names, and returns the configuration
// and the checkpoint to use: without a CLIP and a checkpoint the built-in pair, or the built-in
// CLIP alone for a method that learns nothing; without a CLIP, that of a checkpoint that was
// trained on it; without a checkpoint, that of the built-in CLIP. Otherwise both stay as they are.
func (a *app) useBuiltin(c *configFlags, datasets []datasetArgument, loaded config.Loaded, checkpoint string) (_ config.Loaded, used string, err error) {
	clip, own := loaded.Config.Clip, checkpoint != ""
	if own && clip == "" {
		fits, err := a.trainedOnBuiltin(checkpoint, loaded.Config)
		if err != nil || !fits {
			return loaded, checkpoint, err
		}
	}
	if !own && (clip == "" || builtin.Is(clip)) && loaded.Card.Needs(loaded.Config.Model) {
		if loaded.Config.Method != builtin.Method {
			return loaded, "", nil
		}
		checkpoint = builtin.Tiny
	}
	if clip == "" {
		if loaded, err = a.loadWith(c, datasets, true, "clip", builtin.Tiny); err != nil {
			return loaded, "", err
		}
	}
	loaded, err = a.useBuiltinSize(c, datasets, loaded, checkpoint != "", true)
	return loaded, checkpoint, err
}

// trainedOnBuiltin reports whether a checkpoint belongs to the built-in CLIP.
func (a *app) trainedOnBuiltin(checkpoint string, c config.Config) (bool, error) {
	parameters, err := trained.OpenCheckpoint(checkpoint, a.methods.Cards(), c)
	if err != nil {
		return false, err
	}
	defer parameters.Close()
	c.Clip = builtin.Tiny
	clip, err := trained.IdentifyCLIP(c)
	return err == nil && parameters.Metadata.CLIP != "" && clip.Is(parameters.Metadata.CLIP), err
}

// useBuiltinSize takes the image size of the built-in CLIP where neither a checkpoint nor the
// user gives one, because the presets' sizes are those of large CLIPs.
func (a *app) useBuiltinSize(c *configFlags, datasets []datasetArgument, loaded config.Loaded, fromCheckpoint, ownModel bool) (config.Loaded, error) {
	const key = "model.image_size"
	if loaded.Config.Clip != builtin.Tiny {
		return loaded, nil
	}
	a.noticeOnce(builtin.About)
	if _, set := loaded.Set[key]; set || fromCheckpoint {
		return loaded, nil
	}
	return a.loadWith(c, datasets, ownModel, key, builtin.ImageSize)
}

// loadWith loads the configuration again with a value for a key that nothing sets.
func (a *app) loadWith(c *configFlags, datasets []datasetArgument, ownModel bool, key string, value any) (config.Loaded, error) {
	if c.values == nil {
		c.values = map[string]any{}
	}
	c.values[key] = value
	return a.load(c, datasets, ownModel)
}
