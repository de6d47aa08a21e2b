package config

import (
	"cmp"
	"fmt"
	"reflect"

	"acdclip/pkg/config/section"
)

// CheckResume checks that a training started with run can be resumed with loaded. Each
// option that differs and can change the results is an *Error.
func CheckResume(run Config, loaded Loaded) error {
	var found []*Error
	if run.Method != loaded.Config.Method {
		e := &Error{Key: "method", Problem: fmt.Sprintf("is %s, but the run to resume has %s; leave it out or start a new run", loaded.Config.Method, run.Method)}
		loaded.place(e)
		return e
	}
	for _, option := range schemaFor(run.Model, run.Loss).options() {
		started := option.value(reflect.ValueOf(run)).Interface()
		wanted := option.value(reflect.ValueOf(loaded.Config)).Interface()
		if option.resume || reflect.DeepEqual(started, wanted) {
			continue
		}
		e := &Error{Key: option.key, Problem: fmt.Sprintf("is %s, but the run to resume has %s; leave it out or start a new run", shown(wanted), shown(started))}
		loaded.place(e)
		found = append(found, e)
	}
	return section.Join(found)
}

func shown(value any) string { return cmp.Or(fmt.Sprint(value), `""`) }

// CheckInitial checks that a training with the options wanted can start from parameters
// that were trained with the options trained.
func CheckInitial(trained, wanted section.Model) error {
	if !sameSections(trained, wanted) {
		return &Error{Key: "method", Problem: "differs from that of the checkpoint to start from"}
	}
	var found []*Error
	for _, option := range modelOptions(trained) {
		was, is := option.value(reflect.ValueOf(trained)), option.value(reflect.ValueOf(wanted))
		if option.bindsParameters() && !option.agree(was, is) {
			found = append(found, &Error{Key: option.key, Problem: fmt.Sprintf("is %v, but the checkpoint to start from was trained with %v", is.Interface(), was.Interface())})
		}
	}
	return section.Join(found)
}
