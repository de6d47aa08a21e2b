package config

import (
	"reflect"

	"go.yaml.in/yaml/v3"

	"acdclip/pkg/config/section"
)

// wants describes the permitted values of an option.
func wants(s *schema) string {
	switch s.typ.Kind() {
	case reflect.String:
		if s.choices != nil {
			return section.Listed(s.choices)
		}
		switch s.path {
		case "file":
			return "a path"
		case "source":
			return "a path or a name"
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
		list := "a list, as in a,b or [a, b]"
		if of := wants(s.element(s.key)); of != "text" {
			list += ", each " + of
		}
		return list
	case reflect.Map:
		return "a mapping"
	}
	return "a section"
}

// describe names a value in a YAML file, for "must be ..., is ...".
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	}
	value := section.Printable(n.Value)
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
	return value + " with the tag " + section.Printable(n.Tag)
}
