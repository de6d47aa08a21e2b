// Package methods is the table of the methods that there are.
package methods

import (
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/config"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip"
)

// New builds a method. It is called inside Do; the parameters belong to s.
func New(s *torch.Scope, method config.Method, o model.Options) (model.Trainable, error) {
	switch method {
	case config.ACDCLIP:
		return acdclip.New(s, o)
	default:
		return nil, fmt.Errorf("there is no method %q", method)
	}
}
