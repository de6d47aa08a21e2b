package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"acdclip/pkg/config/section"
)

// Validate returns all mistakes in a method's section, joined, each an *Error; nil if
// there are none. Checks that need the CLIP in use (patch size, depth) are not made here.
func Validate(key string, s section.Section) error { return section.Join(sectionProblems(key, s)) }

func sectionProblems(key string, s section.Section) []*Error {
	return append(checkFields(schemaOf(reflect.TypeOf(s).Elem(), key), reflect.ValueOf(s)), s.Contradictions()...)
}

// CheckModel checks the model section, which Load with Sources.OwnModel does only in part.
func (l Loaded) CheckModel() error {
	found := sectionProblems("model", l.Config.Model)
	for _, e := range found {
		l.place(e)
	}
	return section.Join(found)
}

// problems lists all mistakes, except contradictions in the section leaveOut.
func (c Config) problems(s *schema, leaveOut section.Section) []*Error {
	found := checkFields(s, reflect.ValueOf(c))
	for _, own := range []section.Section{c.Model, c.Loss} {
		if own != nil && own != leaveOut {
			found = append(found, own.Contradictions()...)
		}
	}
	return slices.Concat(found, c.Data.contradictions(), c.checkpointProblems())
}

func (d Data) contradictions() []*Error {
	var found []*Error
	for _, name := range slices.Sorted(maps.Keys(d.Roots)) {
		key := "data.roots." + name
		if problem := nameProblem(name); problem != "" {
			found = append(found, &Error{Key: key, Problem: problem})
		}
		root := d.Roots[name]
		if root.Path == "" {
			found = append(found, &Error{Key: key, Problem: "has no path; set path to the dataset's folder"})
		}
		for _, e := range checkFields(schemaOf(reflect.TypeFor[Root](), key), reflect.ValueOf(root)) {
			e.Related = append(e.Related, key)
			found = append(found, e)
		}
	}
	for _, target := range slices.Sorted(maps.Keys(d.Pairing)) {
		problem := nameProblem(d.Pairing[target])
		if problem == "" && target != AnyTarget {
			problem = nameProblem(target)
		}
		if problem != "" {
			found = append(found, &Error{Key: "data.pairing." + target, Problem: problem})
		}
	}
	return found
}

func (c Config) checkpointProblems() []*Error {
	var found []*Error
	for _, name := range slices.Sorted(maps.Keys(c.Checkpoints)) {
		problem := nameProblem(name)
		if slices.Contains(c.Checkpoints[name], "") {
			problem = "contains an empty path"
		}
		if problem != "" {
			found = append(found, &Error{Key: "checkpoints." + name, Problem: problem})
		}
	}
	return found
}

// nameProblem says why a text cannot name a dataset, "" if it can. Names are used in file
// names and in NAME=PATH.
func nameProblem(name string) string {
	switch {
	case name == "":
		return "a dataset's name is empty"
	case name == "." || name == ".." || name == AnyTarget || strings.ContainsAny(name, `/\=`):
		return fmt.Sprintf("%s cannot name a dataset: a name must not contain /, \\ or = and must not be *, . or ..", section.Printable(name))
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Sprintf("%s cannot name a dataset: it contains a control character", section.Printable(name))
	}
	return ""
}
