package trained

import (
	"acdclip/pkg/builtin"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/model/card"
	"acdclip/pkg/published"
)

// scheme is a kind of name that weights may have in place of a path.
type scheme struct {
	is func(source string) bool
	// path returns the path of the weights with a name. kind is what they are wanted for.
	path func(name string, kind published.Kind, c config.Config) (string, error)
}

// schemes lists the kinds of names.
func schemes() []scheme {
	return []scheme{
		{builtin.Is, func(name string, _ published.Kind, _ config.Config) (string, error) { return name, builtin.Check(name) }},
		{published.IsName, func(name string, kind published.Kind, c config.Config) (string, error) {
			return published.All().Locate(name, kind, c.Weights.Cache)
		}},
	}
}

// PathOf returns the path of weights that are given by a path or a name. The error for
// published weights that are not there says how to download them.
func PathOf(source string, kind published.Kind, c config.Config) (string, error) {
	for _, s := range schemes() {
		if s.is(source) {
			return s.path(source, kind, c)
		}
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
