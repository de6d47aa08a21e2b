package config

import (
	"fmt"
	"reflect"
)

const hiddenKey = "model.adapter.hidden"

// OverlayModel returns the model to score with: the checkpoint's, with the
// options that the user set (loaded.Set) over it where they may change at run
// time. Each of those that differs is a line of changes, to be printed. What
// the user set and the checkpoint's structure contradicts is an *Error. The
// preset's own values, and so loaded.Config.Preset, play no part.
func OverlayModel(checkpoint Model, loaded Loaded) (model Model, changes []string, err error) {
	model = checkpoint.Clone()
	var found []*Error
	for _, option := range modelOptions() {
		origin, set := loaded.Set[option.key]
		trained := option.value(reflect.ValueOf(checkpoint))
		wanted := option.value(reflect.ValueOf(loaded.Config.Model))
		switch {
		case !set || reflect.DeepEqual(trained.Interface(), wanted.Interface()):
		case option.runtime, option.key == hiddenKey && trained.IsZero(): // the adapters' shapes will tell
			option.value(reflect.ValueOf(&model).Elem()).Set(wanted)
			changes = append(changes, fmt.Sprintf("%s: %v (%s) in place of the checkpoint's %v", option.key, wanted.Interface(), origin, trained.Interface()))
		case option.bindsAdapter() && !option.agree(trained, wanted):
			found = append(found, &Error{
				File: origin.File, Line: origin.Line, Key: option.key,
				Problem: fmt.Sprintf("is %v, but the checkpoint was trained with %v; leave it out, or choose another checkpoint", wanted.Interface(), trained.Interface()),
			})
		}
	}
	if len(found) == 0 {
		found = model.problems()
		for _, e := range found {
			loaded.place(e)
		}
	}
	if len(found) > 0 {
		return Model{}, nil, join(found)
	}
	return model, changes, nil
}

func modelOptions() []*schema {
	s := &schema{key: "model", typ: reflect.TypeFor[Model]()}
	s.addFields()
	return s.options()
}

// bindsAdapter says whether trained adapters are of use with one value alone.
// Initial values are spent once training has begun.
func (s *schema) bindsAdapter() bool { return !s.runtime && s.key != "model.adapter.init" }

// agree says whether two models with these values can be one and the same.
func (s *schema) agree(a, b reflect.Value) bool {
	if s.key == hiddenKey && (a.IsZero() || b.IsZero()) {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
