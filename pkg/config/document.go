package config

import "reflect"

// Key documents one option.
type Key struct {
	Name  string // dotted, as in "model.adapter.kind"
	Env   string // its environment variable
	Wants string // what it takes, in words
	Doc   string // what it means
}

// Keys lists every option in the order of the configuration.
func Keys() []Key {
	var keys []Key
	for _, option := range schemaOf(reflect.TypeFor[Config](), "").options() {
		keys = append(keys, Key{Name: option.key, Env: envName(option.key), Wants: wants(option), Doc: option.doc})
	}
	return keys
}
