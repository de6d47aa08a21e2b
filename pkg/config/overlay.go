package config

import (
	"fmt"
	"reflect"

	"acdclip/pkg/config/section"
)

// OverlayModel returns the model to score with: the checkpoint's, with the
// options that the user set (loaded.Set) over it where they may change at run
// time. Each of those that differs is a line of changes, to be printed. What
// the user set and the checkpoint's structure contradicts is an *Error. The
// preset's own values, and so loaded.Config.Preset, play no part. The options of another
// method than the checkpoint's must not be set.
func OverlayModel(checkpoint section.Model, loaded Loaded) (model section.Model, changes []string, err error) {
	if !sameSections(checkpoint, loaded.Config.Model) {
		if loaded.isSet("method") || loaded.isSet("model") {
			e := &Error{Key: "method", Problem: fmt.Sprintf("is %s, and the checkpoint was trained with another method; leave it out, or choose another checkpoint", loaded.Config.Method)}
			loaded.place(e)
			return nil, nil, e
		}
		return Clone(checkpoint), nil, nil
	}
	model = Clone(checkpoint)
	var found []*Error
	for _, option := range modelOptions(checkpoint) {
		origin, set := loaded.Set[option.key]
		trained := option.value(reflect.ValueOf(checkpoint))
		wanted := option.value(reflect.ValueOf(loaded.Config.Model))
		switch {
		case !set || reflect.DeepEqual(trained.Interface(), wanted.Interface()):
		case option.runtime, option.openZero && trained.IsZero():
			option.value(reflect.ValueOf(model)).Set(wanted)
			changes = append(changes, fmt.Sprintf("%s: %v (%s) in place of the checkpoint's %v", option.key, wanted.Interface(), origin, trained.Interface()))
		case option.bindsParameters() && !option.agree(trained, wanted):
			found = append(found, &Error{
				File: origin.File, Line: origin.Line, Key: option.key,
				Problem: fmt.Sprintf("is %v, but the checkpoint was trained with %v; leave it out, or choose another checkpoint", wanted.Interface(), trained.Interface()),
			})
		}
	}
	if len(found) == 0 {
		found = sectionProblems("model", model)
		for _, e := range found {
			loaded.place(e)
		}
	}
	if len(found) > 0 {
		return nil, nil, section.Join(found)
	}
	return model, changes, nil
}

func modelOptions(model section.Model) []*schema {
	return schemaOf(reflect.TypeOf(model).Elem(), "model").options()
}

// bindsParameters says whether trained parameters are of use with one value alone.
// Initial values are spent once training has begun.
func (s *schema) bindsParameters() bool { return !s.runtime && !s.initial }

// agree says whether two models with these values can be one and the same.
func (s *schema) agree(a, b reflect.Value) bool {
	if s.openZero && (a.IsZero() || b.IsZero()) {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
