package config

import (
	"cmp"
	"fmt"
	"reflect"
)

// CheckResume finds what keeps a training that was begun with run from going on
// with loaded: each option that differs and can change its numbers is an *Error.
func CheckResume(run Config, loaded Loaded) error {
	var found []*Error
	for _, option := range schemaOf(reflect.TypeFor[Config](), "").options() {
		begun := option.value(reflect.ValueOf(run)).Interface()
		wanted := option.value(reflect.ValueOf(loaded.Config)).Interface()
		if option.resume || reflect.DeepEqual(begun, wanted) {
			continue
		}
		e := &Error{Key: option.key, Problem: fmt.Sprintf("is %s, but the run to resume has %s; leave it out, or begin another run", shown(wanted), shown(begun))}
		loaded.place(e)
		found = append(found, e)
	}
	return join(found)
}

func shown(value any) string { return cmp.Or(fmt.Sprint(value), `""`) }

// CheckInitial finds what keeps the adapters of a model that was trained with
// one set of options from being those that another's training begins with.
func CheckInitial(trained, wanted Model) error {
	var found []*Error
	for _, option := range modelOptions() {
		was, is := option.value(reflect.ValueOf(trained)), option.value(reflect.ValueOf(wanted))
		if option.bindsAdapter() && !option.agree(was, is) {
			found = append(found, &Error{Key: option.key, Problem: fmt.Sprintf("is %v, but the checkpoint to begin with was trained with %v", is.Interface(), was.Interface())})
		}
	}
	return join(found)
}
