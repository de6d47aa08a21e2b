// Package methods is the table of the methods that there are.
package methods

import (
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip"
)

// Check says why a method with these options cannot stand on a CLIP of that shape,
// or why values (nil: none) are not those of its parameters. It reads none.
func Check(method config.Method, arch pretrained.Arch, o config.Model, values model.Values) error {
	switch method {
	case config.ACDCLIP:
		return acdclip.Check(arch, o, values)
	default:
		return noMethod(method)
	}
}

func noMethod(method config.Method) error { return fmt.Errorf("there is no method %q", method) }

// New builds a method. It is called inside Do; the parameters belong to s.
func New(s *torch.Scope, method config.Method, o model.Options) (model.Trainable, error) {
	switch method {
	case config.ACDCLIP:
		return acdclip.New(s, o)
	default:
		return nil, noMethod(method)
	}
}
