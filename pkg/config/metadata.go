package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"acdclip/pkg/config/section"
)

// ErrOtherVersion says that metadata was written by another version of the program.
var ErrOtherVersion = errors.New("written by another version of acdclip")

// Decode decodes JSON written by encoding/json strictly into an empty section of a
// method; key is the section's key in the configuration. An unknown or missing key is an
// ErrOtherVersion, an invalid value an *Error.
func Decode(key, text string, into section.Section) error {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return fmt.Errorf("decoding metadata: %w", err)
	}
	if decoder.More() {
		return errors.New("decoding metadata: more than one JSON value")
	}
	s := schemaOf(reflect.TypeOf(into).Elem(), "")
	if err := sameKeys(s, tree); err != nil {
		return fmt.Errorf("decoding metadata: %w", err)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("decoding metadata: %w", err)
	}
	if err := Validate(key, into); err != nil {
		return fmt.Errorf("decoding metadata: %w", err)
	}
	return nil
}

// sameKeys checks that a decoded JSON tree has exactly the keys of s.
func sameKeys(s *schema, tree any) error {
	object, ok := tree.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is not a JSON object", cmp.Or(s.key, "the section"))
	}
	for name := range object {
		if s.child(name) == nil {
			return fmt.Errorf("%w, a newer one: unknown option %s", ErrOtherVersion, section.Printable(dotted(s.key, name)))
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
