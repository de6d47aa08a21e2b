package config

import (
	"reflect"
	"strings"

	"acdclip/pkg/config/section"
	"acdclip/pkg/spelling"
)

// schema is a node in the tree of keys: a section if it has children, else an option.
type schema struct {
	key      string // dotted, "" for the whole configuration
	name     string // key's last part
	was      string // an earlier name; "" for none
	typ      reflect.Type
	index    []int // field indexes from the root struct down to this field
	doc      string
	interval interval
	choices  []string // permitted texts; nil: any
	path     string   // "file", "source" or "" for text that is not a path
	runtime  bool
	initial  bool
	open     string // the value that leaves it open; see package section
	resume   bool
	optional bool // may be empty, and is not written then
	children []*schema
}

// openZero stands for 0 and the empty list.
const openZero = "zero"

// schemaOf reads the keys of a struct type from its field tags; key is the key of its section.
func schemaOf(t reflect.Type, key string) *schema {
	s := &schema{key: key, typ: t}
	s.addFields()
	return s
}

// schemaFor reads the keys of a Config whose method has these sections; a nil section adds no key.
func schemaFor(model section.Model, loss section.Section) *schema {
	s := schemaOf(reflect.TypeFor[Config](), "")
	for name, own := range map[string]section.Section{"model": model, "loss": loss} {
		child := s.child(name)
		if own == nil || reflect.TypeOf(own).Elem().NumField() == 0 {
			s.remove(child)
			continue
		}
		child.typ = reflect.TypeOf(own).Elem()
		child.addFields()
	}
	return s
}

func (s *schema) remove(child *schema) {
	var rest []*schema
	for _, c := range s.children {
		if c != child {
			rest = append(rest, c)
		}
	}
	s.children = rest
}

func (s *schema) addFields() {
	for i := range s.typ.NumField() {
		field := s.typ.Field(i)
		name, optional, tagged := strings.Cut(field.Tag.Get("json"), ",")
		child := &schema{
			key:      dotted(s.key, name),
			name:     name,
			was:      field.Tag.Get("was"),
			typ:      field.Type,
			index:    append(append([]int{}, s.index...), i),
			doc:      field.Tag.Get("doc"),
			interval: parseInterval(field.Tag.Get("range")),
			choices:  choicesOf(field.Type),
			path:     field.Tag.Get("path"),
			runtime:  field.Tag.Get("runtime") != "",
			initial:  field.Tag.Get("initial") != "",
			open:     field.Tag.Get("open"),
			resume:   field.Tag.Get("resume") != "",
			optional: tagged && optional == "omitempty",
		}
		if field.Type.Kind() == reflect.Struct {
			child.addFields()
		}
		s.children = append(s.children, child)
	}
}

// choicesOf lists the permitted values of a string type with a Values method; nil for other types.
func choicesOf(t reflect.Type) []string {
	if t.Kind() != reflect.String {
		return nil
	}
	if few, ok := reflect.Zero(t).Interface().(interface{ Values() []string }); ok {
		return few.Values()
	}
	return nil
}

func (s *schema) isSection() bool { return s.children != nil }

// element is the schema of a map's or list's elements, found under the given key.
func (s *schema) element(key string) *schema {
	e := &schema{key: key, typ: s.typ.Elem(), interval: s.interval, choices: choicesOf(s.typ.Elem()), path: s.path}
	if e.typ.Kind() == reflect.Struct {
		e.addFields()
	}
	return e
}

// options lists the options below s in declaration order.
func (s *schema) options() []*schema {
	if !s.isSection() {
		return []*schema{s}
	}
	var list []*schema
	for _, child := range s.children {
		list = append(list, child.options()...)
	}
	return list
}

// child returns the child with that name, nil if there is none.
func (s *schema) child(name string) *schema {
	for _, c := range s.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// renamed returns the child whose earlier name is was, nil if there is none.
func (s *schema) renamed(was string) *schema {
	for _, c := range s.children {
		if c.was == was && was != "" {
			return c
		}
	}
	return nil
}

func (s *schema) childNames() []string {
	list := make([]string, len(s.children))
	for i, c := range s.children {
		list[i] = c.name
	}
	return list
}

// everyKey lists sections and options below s.
func (s *schema) everyKey() []*schema {
	var list []*schema
	for _, c := range s.children {
		list = append(append(list, c), c.everyKey()...)
	}
	return list
}

// nearestKey suggests a key for a mistyped name in section s: a key of s with a similar
// name, else a key anywhere below root with a similar last part.
func (s *schema) nearestKey(root *schema, name string) string {
	if near := spelling.Nearest(name, s.childNames()); near != "" {
		return dotted(s.key, near)
	}
	parts := map[string]string{}
	var last []string
	for _, k := range root.everyKey() {
		if _, seen := parts[k.name]; !seen {
			parts[k.name] = k.key
			last = append(last, k.name)
		}
	}
	return parts[spelling.Nearest(name[strings.LastIndex(name, ".")+1:], last)]
}

func dotted(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}

// value returns the field that s describes inside root, a value of the root struct's type
// or a pointer to one. The field can be set if root can, or if it is behind a pointer.
func (s *schema) value(root reflect.Value) reflect.Value {
	for _, i := range s.index {
		root = pointedTo(root).Field(i)
	}
	return root
}

// pointedTo follows interfaces and pointers to the value behind them.
func pointedTo(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}
