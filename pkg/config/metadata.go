package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Section is a part of the configuration that a checkpoint's metadata holds.
type Section interface {
	Model | Loss
	Validate() error
}

// ErrOtherVersion says that metadata was written by another version of the program.
var ErrOtherVersion = errors.New("written by another version of acdclip")

// Decode reads a section from the JSON that encoding/json makes of it, strictly: a key that is unknown or missing is
// ErrOtherVersion, an impossible value an *Error.
func Decode[S Section](text string) (S, error) {
	var section, none S
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return none, fmt.Errorf("decoding metadata: %w", err)
	}
	if decoder.More() {
		return none, errors.New("decoding metadata: more than one JSON value")
	}
	s := schemaOf(reflect.TypeFor[S](), "")
	if err := sameKeys(s, tree); err != nil {
		return none, fmt.Errorf("decoding metadata: %w", err)
	}
	if err := json.Unmarshal([]byte(text), &section); err != nil {
		return none, fmt.Errorf("decoding metadata: %w", err)
	}
	if err := section.Validate(); err != nil {
		return none, fmt.Errorf("decoding metadata: %w", err)
	}
	return section, nil
}

// sameKeys wants exactly the keys of s in a decoded JSON tree.
func sameKeys(s *schema, tree any) error {
	object, ok := tree.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is no object", cmp.Or(s.key, "the section"))
	}
	for name := range object {
		if s.child(name) == nil {
			return fmt.Errorf("%w, a newer one: unknown option %s", ErrOtherVersion, printable(dotted(s.key, name)))
		}
	}
	for _, child := range s.children {
		value, ok := object[child.name]
		switch {
		case !ok || value == nil:
			return fmt.Errorf("%w, an older one: option %s is missing", ErrOtherVersion, child.key)
		case child.isSection():
			if err := sameKeys(child, value); err != nil {
				return err
			}
		}
	}
	return nil
}
