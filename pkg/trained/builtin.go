package trained

import (
	"acdclip/pkg/builtin"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/model/card"
	"acdclip/pkg/published"
)

// Setter loads a configuration again with a value for a key that nothing sets.
type Setter func(key string, value any) (config.Loaded, error)

// UseBuiltin takes the built-in weights for what nothing names, and returns the configuration
// and the checkpoint to use: without a CLIP and a checkpoint the built-in pair, or the built-in
// CLIP alone for a method that learns nothing; without a CLIP, that of a checkpoint that was
// trained on it; without a checkpoint, that of the built-in CLIP. Otherwise both stay as they are.
func UseBuiltin(methods card.List, loaded config.Loaded, checkpoint string, set Setter) (_ config.Loaded, used string, err error) {
	clip, own := loaded.Config.Clip, checkpoint != ""
	if own && clip == "" {
		fits, err := onBuiltin(methods, checkpoint, loaded.Config)
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
		if loaded, err = set("clip", builtin.Tiny); err != nil {
			return loaded, "", err
		}
	}
	loaded, err = UseBuiltinSize(loaded, checkpoint != "", set)
	return loaded, checkpoint, err
}

// onBuiltin reports whether a checkpoint belongs to the built-in CLIP.
func onBuiltin(methods card.List, checkpoint string, c config.Config) (bool, error) {
	parameters, err := OpenCheckpoint(checkpoint, methods, c)
	if err != nil {
		return false, err
	}
	defer parameters.Close()
	c.Clip = builtin.Tiny
	clip, err := IdentifyCLIP(c)
	return err == nil && parameters.Metadata.CLIP != "" && clip.Is(parameters.Metadata.CLIP), err
}

// UseBuiltinSize takes the image size of the built-in CLIP where neither a checkpoint nor the
// user gives one, because the presets' sizes are those of large CLIPs.
func UseBuiltinSize(loaded config.Loaded, fromCheckpoint bool, set Setter) (config.Loaded, error) {
	const key = "model.image_size"
	if loaded.Config.Clip != builtin.Tiny {
		return loaded, nil
	}
	if _, given := loaded.Set[key]; given || fromCheckpoint {
		return loaded, nil
	}
	return set(key, builtin.ImageSize)
}

// MethodsOf returns the methods that a checkpoint, given by a path or a name, belongs to; nil
// if it cannot be read.
func MethodsOf(source string, methods card.List, weights published.Table) []string {
	if e, err := weights.Find(source); err == nil && e.Kind == published.Checkpoint {
		return e.For
	}
	if method, err := checkpoint.MethodOf(source, methods); err == nil {
		return []string{method}
	}
	return nil
}
