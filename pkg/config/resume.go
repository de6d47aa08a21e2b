package config

import (
	"cmp"
	"fmt"
	"reflect"

	"acdclip/pkg/config/section"
)

// CheckResume finds what keeps a training that was begun with run from going on
// with loaded: each option that differs and can change its numbers is an *Error.
func CheckResume(run Config, loaded Loaded) error {
	var found []*Error
	if run.Method != loaded.Config.Method {
		e := &Error{Key: "method", Problem: fmt.Sprintf("is %s, but the run to resume has %s; leave it out, or begin another run", loaded.Config.Method, run.Method)}
		loaded.place(e)
		return e
	}
	for _, option := range schemaFor(run.Model, run.Loss).options() {
		begun := option.value(reflect.ValueOf(run)).Interface()
		wanted := option.value(reflect.ValueOf(loaded.Config)).Interface()
		if option.resume || reflect.DeepEqual(begun, wanted) {
			continue
		}
		e := &Error{Key: option.key, Problem: fmt.Sprintf("is %s, but the run to resume has %s; leave it out, or begin another run", shown(wanted), shown(begun))}
		loaded.place(e)
		found = append(found, e)
	}
	return section.Join(found)
}

func shown(value any) string { return cmp.Or(fmt.Sprint(value), `""`) }

// CheckInitial finds what keeps the adapters of a model that was trained with
// one set of options from being those that another's training begins with.
func CheckInitial(trained, wanted section.Model) error {
	if !sameSections(trained, wanted) {
		return &Error{Key: "method", Problem: "is another than that of the checkpoint to begin with"}
	}
	var found []*Error
	for _, option := range modelOptions(trained) {
		was, is := option.value(reflect.ValueOf(trained)), option.value(reflect.ValueOf(wanted))
		if option.bindsParameters() && !option.agree(was, is) {
			found = append(found, &Error{Key: option.key, Problem: fmt.Sprintf("is %v, but the checkpoint to begin with was trained with %v", is.Interface(), was.Interface())})
		}
	}
	return section.Join(found)
}
