package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"

	"acdclip/pkg/config/section"
	"acdclip/pkg/model/card"
)

// Sources says where a configuration comes from. If two sources set the same key, the
// later in this order wins: preset, Files in their order, Env, Set, Flags.
type Sources struct {
	Method string         // the method if no source sets the key "method"; "" is the catalog's first
	Preset string         // the preset if no source sets the key "preset"; "" is the method's first
	Files  []string       // YAML files; a relative path in one is relative to that file
	Env    []string       // "NAME=value" pairs as from os.Environ; those without EnvPrefix are ignored
	Set    []string       // "key=value"; the value is YAML, text needs no quotes, a list may be a,b
	Flags  map[string]any // dotted key -> value, for the flags that were given
	Dir    string         // base of all other relative paths; "" is the current folder

	// OwnModel skips the check for contradictions inside the model section. OverlayModel
	// makes it later, on the checkpoint's model section.
	OwnModel bool
}

// Loaded is a configuration and the origin of its values.
type Loaded struct {
	Config Config
	// Set maps each key that a source set to its origin; keys with the preset's value
	// are absent. Entries of maps have keys of their own ("data.roots.visa").
	Set map[string]Origin
	// Card describes the method.
	Card card.Card
	// Notes name the keys that a source gave by an earlier name.
	Notes []string
}

// Load reads, checks and merges the sources: a list replaces the earlier list, maps are
// merged entry by entry. Every mistake is an *Error, and all mistakes are joined; the
// error for a file that cannot be read names the file. Load reads no files besides Files.
func (l Catalog) Load(s Sources) (Loaded, error) {
	of := l.Methods[0]
	if s.Method != "" {
		var err error
		if of, err = l.Methods.Find(s.Method); err != nil {
			return Loaded{}, oneOf("method", s.Method, l.Methods.Names())
		}
	}
	reading, err := l.read(s, of)
	if named := reading.text("method"); named != "" && named != of.Name {
		if other, unknown := l.Methods.Find(named); unknown == nil { // the methods' sections have different keys
			of = other
			reading, err = l.read(s, of)
		}
	}
	if err != nil {
		l.nameOwners(err, of)
		return Loaded{}, cmp.Or(reading.methodConflict(of.Name), err)
	}
	base, err := l.Preset(of.Name, cmp.Or(reading.text("preset"), s.Preset))
	if err != nil {
		return Loaded{}, err
	}
	loaded, err := reading.merge(base)
	if err != nil {
		return Loaded{}, err
	}
	loaded.Card = of
	var leaveOut section.Section
	if s.OwnModel {
		leaveOut = loaded.Config.Model
	}
	found := loaded.Config.problems(reading.schema, leaveOut)
	for _, e := range found {
		loaded.place(e)
	}
	if len(found) > 0 {
		return Loaded{}, section.Join(found)
	}
	return loaded, nil
}

// nameOwners says of each unknown key which other methods have it.
func (l Catalog) nameOwners(err error, of card.Card) {
	var mistake *Error
	switch joined, several := err.(interface{ Unwrap() []error }); {
	case several:
		for _, each := range joined.Unwrap() {
			l.nameOwners(each, of)
		}
	case errors.As(err, &mistake) && strings.HasPrefix(mistake.Problem, unknownKey):
		var owners []string
		for _, other := range l.Methods {
			if slices.ContainsFunc(l.schemaOf(other).everyKey(), func(s *schema) bool { return s.key == mistake.Key }) {
				owners = append(owners, other.Name)
			}
		}
		if owners != nil {
			mistake.Problem = fmt.Sprintf("%s of the method %s; it belongs to %s", unknownKey, of.Name, strings.Join(owners, ", "))
			mistake.Nearest = ""
		}
	}
}

// read reads all sources, with the keys of one method.
func (l Catalog) read(s Sources, of card.Card) (*loader, error) {
	reading := &loader{schema: l.schemaOf(of)}
	return reading, reading.readAll(s)
}

// methodConflict reports sources that name two different methods, because their options
// differ; nil if all name the same method.
func (l *loader) methodConflict(chosen string) error {
	for _, layer := range l.layers {
		v, set := layer.values["method"]
		if !set || v.String() == chosen {
			continue
		}
		e := &Error{Key: "method", Problem: fmt.Sprintf("is %s, but %s sets %s, which has different options; leave one of them out", chosen, layer.origins["method"], v)}
		for _, other := range l.layers {
			if v, set := other.values["method"]; set && v.String() == chosen {
				e.File, e.Line = other.origins["method"].File, other.origins["method"].Line
			}
		}
		return e
	}
	return nil
}

// text returns the text that the sources set for a key, "" if none does.
func (l *loader) text(key string) (text string) {
	for _, layer := range l.layers {
		if v, ok := layer.values[key]; ok {
			text = v.String()
		}
	}
	return text
}

// place sets a mistake's origin to that of the value that caused it.
func (l Loaded) place(e *Error) {
	for _, key := range append([]string{e.Key}, e.Related...) {
		if origin, ok := l.Set[key]; ok {
			e.File, e.Line = origin.File, origin.Line
			return
		}
	}
}

// loader collects layers in rising priority.
type loader struct {
	schema *schema
	layers []*layer
	found  []*Error
	notes  []string
}

func (l *loader) readAll(s Sources) error {
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return fmt.Errorf("finding the current folder: %w", err)
	}
	for _, path := range s.Files {
		if err := l.addFile(path, dir); err != nil {
			return err
		}
	}
	l.read("environment", dir, func(r *reader) { r.readEnvironment(s.Env) })
	l.read("--set", dir, func(r *reader) { r.readSet(s.Set) })
	l.read("command line", dir, func(r *reader) { r.readFlags(s.Flags) })
	return section.Join(l.found)
}

func (l *loader) addFile(path, dir string) error {
	if path == "" {
		return errors.New("reading configuration: the file's name is empty")
	}
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(dir, full)
	}
	text, err := readFile(full)
	if err != nil {
		return err
	}
	r := l.newReader(path, filepath.Dir(full), true)
	r.readYAML(text)
	l.add(r)
	return nil
}

func (l *loader) read(source, dir string, read func(*reader)) {
	r := l.newReader(source, dir, false)
	read(r)
	l.add(r)
}

func (l *loader) add(r *reader) {
	l.layers = append(l.layers, r.into)
	l.found = append(l.found, r.found...)
	l.notes = append(l.notes, r.notes...)
}

// merge applies the layers to a preset, in order.
func (l *loader) merge(base Config) (Loaded, error) {
	loaded := Loaded{Set: map[string]Origin{}, Notes: l.notes}
	for _, layer := range l.layers {
		maps.Copy(loaded.Set, layer.origins)
	}
	var err error
	if loaded.Config, err = l.mergeOptions(base); err != nil {
		return Loaded{}, err
	}
	l.mergeMaps(base, &loaded.Config)
	return loaded, nil
}

// mergeOptions merges every option that is not a map with viper. (viper lower-cases the
// keys of maps and splits them at dots, which would change the names of datasets.)
func (l *loader) mergeOptions(base Config) (Config, error) {
	v := viper.NewWithOptions(viper.WithLogger(slog.New(slog.DiscardHandler)))
	for _, option := range l.schema.options() {
		if option.typ.Kind() != reflect.Map {
			v.SetDefault(option.key, option.value(reflect.ValueOf(base)).Interface())
		}
	}
	for _, layer := range l.layers {
		if err := v.MergeConfigMap(layer.nested()); err != nil {
			return Config{}, fmt.Errorf("merging configuration: %w", err)
		}
	}
	merged := Config{Model: Emptied(base.Model)}
	if base.Loss != nil {
		merged.Loss = Emptied(base.Loss)
	}
	if err := v.UnmarshalExact(&merged, jsonNames); err != nil {
		return Config{}, fmt.Errorf("merging configuration: %w", err)
	}
	return merged, nil
}

// Emptied returns a new section of the same type, with every value zero.
func Emptied[S section.Section](s S) S { return reflect.New(reflect.TypeOf(s).Elem()).Interface().(S) }

func jsonNames(c *mapstructure.DecoderConfig) { c.TagName = "json" }

// nested returns the layer's options, except maps, as the tree of sections that viper merges.
func (l *layer) nested() map[string]any {
	tree := map[string]any{}
	for key, v := range l.values {
		if v.Kind() == reflect.Map {
			continue
		}
		parts := strings.Split(key, ".")
		section := tree
		for _, part := range parts[:len(parts)-1] {
			if _, ok := section[part]; !ok {
				section[part] = map[string]any{}
			}
			section = section[part].(map[string]any)
		}
		section[parts[len(parts)-1]] = v.Interface()
	}
	return tree
}

// mergeMaps merges the options that are maps, entry by entry, and keeps the case of names.
func (l *loader) mergeMaps(base Config, into *Config) {
	for _, option := range l.schema.options() {
		if option.typ.Kind() != reflect.Map {
			continue
		}
		merged := reflect.MakeMap(option.typ)
		mergeMap(merged, option.value(reflect.ValueOf(base)))
		for _, layer := range l.layers {
			if v, ok := layer.values[option.key]; ok {
				mergeMap(merged, v)
			}
		}
		option.value(reflect.ValueOf(into).Elem()).Set(merged)
	}
}

// mergeMap copies from's entries into into. Entries that are structs are merged field by
// field: fields that are zero in from keep their value.
func mergeMap(into, from reflect.Value) {
	for _, name := range from.MapKeys() {
		entry := from.MapIndex(name)
		if held := into.MapIndex(name); held.IsValid() && entry.Kind() == reflect.Struct {
			both := reflect.New(entry.Type()).Elem()
			both.Set(held)
			for i := range entry.NumField() {
				if field := entry.Field(i); !field.IsZero() {
					both.Field(i).Set(field)
				}
			}
			entry = both
		}
		into.SetMapIndex(name, entry)
	}
}
