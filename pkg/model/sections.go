package model

import (
	"errors"
	"reflect"

	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
)

// Errors of Own and OwnSections.
var (
	ErrOtherOptions = errors.New("the options belong to another method")
	ErrNoCLIP       = errors.New("the method needs a CLIP and its tokenizer")
)

// Own returns a configuration section as a method's own type, and its mistakes. key is the
// section's, "model" or "loss".
func Own[S section.Section](key string, given section.Section) (own S, err error) {
	own, ok := given.(S)
	if !ok || reflect.ValueOf(own).IsNil() {
		return own, ErrOtherOptions
	}
	return own, config.Validate(key, own)
}

// OwnSections returns the options' sections as a trainable method's own types. It checks
// them, and that there is a CLIP.
func OwnSections[M section.Model, L section.Section](o Options) (own M, loss L, err error) {
	if o.CLIP == nil || o.Tokenizer == nil {
		return own, loss, ErrNoCLIP
	}
	own, err = Own[M]("model", o.Model)
	if err != nil {
		return own, loss, err
	}
	loss, err = Own[L]("loss", o.Loss)
	return own, loss, err
}
