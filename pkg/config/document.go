package config

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Key documents one option.
type Key struct {
	Name    string // dotted, as in "model.adapter.kind"
	Env     string // its environment variable
	Wants   string // what it takes, in words
	Doc     string // what it means
	Default string // its value in each preset, as YAML; "" for nothing
}

// Keys lists every option in the order of the configuration.
func Keys() []Key {
	var keys []Key
	for _, option := range schemaOf(reflect.TypeFor[Config](), "").options() {
		keys = append(keys, Key{Name: option.key, Env: envName(option.key), Wants: wants(option), Doc: option.doc, Default: option.presets()})
	}
	return keys
}

// presets is the option's value where all presets have one, else each preset's.
func (s *schema) presets() string {
	if s.typ == reflect.TypeFor[PresetName]() {
		return string(Paper)
	}
	var values, named []string
	for _, name := range PresetName("").Values() {
		c, err := Preset(PresetName(name))
		if err != nil {
			return ""
		}
		value := s.inline(reflect.ValueOf(c).FieldByIndex(s.index))
		values, named = append(values, value), append(named, value+" ("+name+")")
	}
	for _, value := range values {
		if value != values[0] {
			return strings.Join(named, ", ")
		}
	}
	return values[0]
}

// inline is a value of the option as one line of YAML, "" for an empty one.
func (s *schema) inline(v reflect.Value) string {
	if kind := v.Kind(); (kind == reflect.String || kind == reflect.Slice || kind == reflect.Map) && v.Len() == 0 {
		return ""
	}
	node, err := encode(s, v)
	if err != nil {
		return ""
	}
	text, err := yaml.Marshal(node)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
