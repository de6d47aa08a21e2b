package config

import (
	"fmt"
	"reflect"

	"acdclip/pkg/config/section"
)

// OverlayModel returns the model section to score with: the checkpoint's, which is of the
// method with that name, changed by the runtime options that the user set (loaded.Set).
// Each option that changes adds a line to changes, to be printed. An option that
// contradicts the structure of the checkpoint's model is an *Error, and so are options of
// another method. The preset and its values are ignored.
func OverlayModel(method string, checkpoint section.Model, loaded Loaded) (model section.Model, changes []string, err error) {
	if !sameSections(checkpoint, loaded.Config.Model) {
		if loaded.isSet("method") || loaded.isSet("model") {
			e := &Error{Key: "method", Problem: fmt.Sprintf("is %s, but the checkpoint was trained with %s; leave it out or choose another checkpoint", loaded.Config.Method, method)}
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
		case option.runtime, option.isOpen(trained):
			option.value(reflect.ValueOf(model)).Set(wanted)
			changes = append(changes, fmt.Sprintf("%s: %v (%s) instead of the checkpoint's %v", option.key, wanted.Interface(), origin, trained.Interface()))
		case option.bindsParameters() && !option.agree(trained, wanted):
			found = append(found, &Error{
				File: origin.File, Line: origin.Line, Key: option.key,
				Problem: fmt.Sprintf("is %v, but the checkpoint was trained with %v; leave it out or choose another checkpoint", wanted.Interface(), trained.Interface()),
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

// bindsParameters reports whether trained parameters are valid only for the value they
// were trained with. An option for initial values has no effect after training has started.
func (s *schema) bindsParameters() bool { return !s.runtime && !s.initial }

// isOpen reports whether a value leaves the option open.
func (s *schema) isOpen(v reflect.Value) bool {
	switch s.open {
	case "":
		return false
	case openZero:
		return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0
	}
	return v.Kind() == reflect.String && v.String() == s.open
}

// agree reports whether the two values can describe the same model.
func (s *schema) agree(a, b reflect.Value) bool {
	if s.isOpen(a) || s.isOpen(b) {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
