package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// Sources says where a configuration comes from. Of two sources that set a key
// the later in this list wins: preset, Files in order, Env, Set, Flags.
type Sources struct {
	Preset PresetName     // what to start from when no source sets the key "preset"; "" is Paper
	Files  []string       // YAML files; a relative path in one is relative to that file
	Env    []string       // "NAME=value" pairs as from os.Environ; those without EnvPrefix are passed over
	Set    []string       // "key=value"; the value is YAML, text needs no quotes, a list may be a,b
	Flags  map[string]any // dotted key -> value, for the flags that were given
	Dir    string         // what other relative paths are relative to; "" is the current folder

	// OwnModel leaves contradictions inside the model section for OverlayModel
	// to find: the model section in use will be a checkpoint's.
	OwnModel bool
}

// Loaded is a configuration and where its values were set.
type Loaded struct {
	Config Config
	// Set holds the keys that a source set, and so not the preset. A map's
	// entries stand there too ("data.roots.visa").
	Set map[string]Origin
}

// Load reads, checks and merges the sources: lists replace, maps merge. Every
// mistake is an *Error, and all that were found are joined; a file that cannot
// be read is an error that names it. Load reads nothing but Files.
func Load(s Sources) (Loaded, error) {
	l := loader{schema: schemaOf(reflect.TypeFor[Config](), "")}
	if err := l.readAll(s); err != nil {
		return Loaded{}, err
	}
	loaded, err := l.merge(s.Preset)
	if err != nil {
		return Loaded{}, err
	}
	checked := loaded.Config
	if s.OwnModel {
		checked.Model = paperModel()
	}
	found := checked.problems()
	for _, e := range found {
		loaded.place(e)
	}
	if len(found) > 0 {
		return Loaded{}, join(found)
	}
	return loaded, nil
}

// place gives a mistake the origin of the value that made it.
func (l Loaded) place(e *Error) {
	for _, key := range append([]string{e.Key}, e.related...) {
		if origin, ok := l.Set[key]; ok {
			e.File, e.Line = origin.File, origin.Line
			return
		}
	}
}

// loader gathers layers, the weakest first.
type loader struct {
	schema *schema
	layers []*layer
	found  []*Error
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
	return join(l.found)
}

func (l *loader) addFile(path, dir string) error {
	if path == "" {
		return errors.New("reading configuration: the file's name is empty")
	}
	place := path
	if !filepath.IsAbs(place) {
		place = filepath.Join(dir, place)
	}
	text, err := readFile(place)
	if err != nil {
		return err
	}
	r := l.newReader(path, filepath.Dir(place), true)
	r.readYAML(text)
	l.add(r)
	return nil
}

func (l *loader) read(place, dir string, read func(*reader)) {
	r := l.newReader(place, dir, false)
	read(r)
	l.add(r)
}

func (l *loader) add(r *reader) {
	l.layers = append(l.layers, r.into)
	l.found = append(l.found, r.found...)
}

// merge lays the layers over the preset that they name, or over the fallback.
func (l *loader) merge(fallback PresetName) (Loaded, error) {
	name := fallback
	if name == "" {
		name = Paper
	}
	loaded := Loaded{Set: map[string]Origin{}}
	for _, layer := range l.layers {
		if v, ok := layer.values["preset"]; ok {
			name = PresetName(v.String())
		}
		maps.Copy(loaded.Set, layer.origins)
	}
	base, err := Preset(name)
	if err != nil {
		return Loaded{}, err
	}
	if loaded.Config, err = l.mergeOptions(base); err != nil {
		return Loaded{}, err
	}
	l.mergeMaps(base, &loaded.Config)
	return loaded, nil
}

// mergeOptions lets viper merge every option that is no map. (viper lower-cases
// the keys of maps and splits them at dots, which a dataset's name does not survive.)
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
	var merged Config
	if err := v.UnmarshalExact(&merged, jsonNames); err != nil {
		return Config{}, fmt.Errorf("merging configuration: %w", err)
	}
	return merged, nil
}

func jsonNames(c *mapstructure.DecoderConfig) { c.TagName = "json" }

// nested returns the layer's options, maps left out, as the tree of sections that viper merges.
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

// mergeMaps merges the options that are maps, entry by entry, names as written.
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

// mergeMap lays from's entries over those in into. An entry that is itself a
// struct merges field by field: what from leaves out stays.
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
