package config

import (
	"reflect"

	"go.yaml.in/yaml/v3"
)

// wants says in words what an option takes.
func wants(s *schema) string {
	switch s.typ.Kind() {
	case reflect.String:
		if few, ok := reflect.Zero(s.typ).Interface().(choice); ok {
			return listed(few.Values())
		}
		if s.path != "" {
			return "a path"
		}
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Float64:
		return "a number " + s.interval.String()
	case reflect.Uint64:
		return "a whole number, at least 0"
	case reflect.Int, reflect.Int64:
		return "a whole number " + s.interval.String()
	case reflect.Slice:
		return "a list of " + wants(s.element(s.key)) + ", as in [A, B]"
	case reflect.Map:
		return "a mapping"
	}
	return "a section"
}

// describe names what stands in a YAML file, for "must be ..., is ...".
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	}
	value := printable(n.Value)
	switch n.ShortTag() {
	case "!!str":
		return "the text " + value
	case "!!int", "!!float":
		return "the number " + value
	case "!!bool":
		return value
	case "!!null":
		return "empty"
	case "!!timestamp":
		return "the date " + value
	}
	return value + " with the tag " + printable(n.Tag)
}
