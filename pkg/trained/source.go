package trained

import (
	"acdclip/pkg/builtin"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/model/card"
	"acdclip/pkg/published"
)

// PathOf returns the path of weights that are given by a path or a name; kind is what they
// are wanted for. A built-in name is its own path. The error for published weights that are
// not there says how to download them.
func PathOf(source string, kind published.Kind, c config.Config) (string, error) {
	switch {
	case builtin.Is(source):
		return source, builtin.Check(source)
	case published.IsName(source):
		return published.All().Locate(source, kind, c.Weights.Cache)
	}
	return source, nil
}

// OpenCheckpoint opens a checkpoint that is given by a path or a name; see checkpoint.Open.
// The configuration says where downloaded weights are.
func OpenCheckpoint(source string, methods card.List, c config.Config) (*checkpoint.Checkpoint, error) {
	path, err := PathOf(source, published.Checkpoint, c)
	if err != nil {
		return nil, err
	}
	return checkpoint.Open(path, methods)
}
