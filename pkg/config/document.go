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
	Wants   string // its permitted values, in words
	Doc     string // its meaning
	Default string // its value in each preset, as YAML; "" for an empty value
}

// Keys lists every option of a method's configuration, in the order of the YAML form; "" is the default method.
func (l Catalog) Keys(method string) ([]Key, error) {
	var presets []Config
	of := l.Methods[0]
	if method != "" {
		var err error
		if of, err = l.Methods.Find(method); err != nil {
			return nil, err
		}
	}
	for _, name := range of.PresetNames() {
		c, err := l.Preset(of.Name, name)
		if err != nil {
			return nil, err
		}
		presets = append(presets, c)
	}
	var keys []Key
	for _, option := range l.schemaOf(of).options() {
		if strings.HasPrefix(option.key, "train.") && !of.Learns {
			continue // of no use
		}
		keys = append(keys, Key{Name: option.key, Env: envName(option.key), Wants: wants(option), Doc: option.doc, Default: option.defaults(presets)})
	}
	return keys, nil
}

// defaults returns the option's value if all presets agree, else the value of each preset.
func (s *schema) defaults(presets []Config) string {
	if s.key == "preset" {
		return presets[0].Preset
	}
	var values, named []string
	for _, c := range presets {
		value := s.inline(s.value(reflect.ValueOf(c)))
		values, named = append(values, value), append(named, value+" ("+c.Preset+")")
	}
	for _, value := range values {
		if value != values[0] {
			return strings.Join(named, ", ")
		}
	}
	return values[0]
}

// inline returns a value of the option as one line of YAML, "" for an empty value.
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
