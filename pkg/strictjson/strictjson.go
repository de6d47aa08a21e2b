// Package strictjson decodes JSON that must have exactly the expected keys.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// KeyError reports a key that is unknown or missing.
type KeyError struct {
	Key     string // dotted, as in "recipe.epochs"
	Missing bool   // else unknown
}

// Error names the key.
func (e *KeyError) Error() string {
	if e.Missing {
		return e.Key + " is missing"
	}
	return "unknown key " + e.Key
}

// ErrNotObject reports JSON that is not an object.
var ErrNotObject = errors.New("not a JSON object")

// ErrTrailing reports more than one JSON value.
var ErrTrailing = errors.New("more than one JSON value")

// Decode decodes one JSON object into into, which points to a struct. The object must have
// the keys that encoding into again gives, in the same case, and no others; else the error
// is a *KeyError. Null counts as missing, unless it is encoded as null again.
func Decode(text string, into any) error {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return ErrTrailing
	}
	given, ok := tree.(map[string]any)
	if !ok {
		return ErrNotObject
	}
	typeError := json.Unmarshal([]byte(text), into)
	encoded, err := json.Marshal(into)
	if err != nil {
		return fmt.Errorf("encoding it again: %w", err)
	}
	var whole map[string]any
	if err := json.Unmarshal(encoded, &whole); err != nil {
		return err
	}
	if err := sameKeys(given, whole, ""); err != nil {
		return err
	}
	return typeError
}

func sameKeys(given, whole map[string]any, prefix string) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, known := whole[name]; !known {
			return &KeyError{Key: prefix + name}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		value, found := given[name]
		if !found || value == nil && whole[name] != nil {
			return &KeyError{Key: prefix + name, Missing: true}
		}
		part, isObject := whole[name].(map[string]any)
		if !isObject {
			continue
		}
		inner, isObject := value.(map[string]any)
		if !isObject {
			return fmt.Errorf("%s: %w", prefix+name, ErrNotObject)
		}
		if err := sameKeys(inner, part, prefix+name+"."); err != nil {
			return err
		}
	}
	return nil
}
