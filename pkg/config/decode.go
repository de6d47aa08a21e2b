package config

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"acdclip/pkg/builtin"
	"acdclip/pkg/config/section"
	"acdclip/pkg/published"

	"go.yaml.in/yaml/v3"
)

// layer holds the values that one source sets: a file, the environment, --set or the flags.
type layer struct {
	values  map[string]reflect.Value // by option key; an option that is a map holds only this source's entries
	origins map[string]Origin        // where each value was set, by the key of the option or map entry
}

func newLayer() *layer {
	return &layer{values: map[string]reflect.Value{}, origins: map[string]Origin{}}
}

// reader decodes YAML nodes strictly into a layer and collects every mistake.
type reader struct {
	root  *schema
	file  string // Error.File
	lines bool   // whether file has lines
	dir   string // base of relative paths
	into  *layer
	found []*Error
	notes []string
	steps int
}

// maxSteps limits the number of visited nodes, because nested aliases can expand exponentially.
const maxSteps = 100_000

func (r *reader) fail(n *yaml.Node, key, problem, near string) {
	r.add(n, &Error{Key: key, Problem: problem, Nearest: near})
}

func (r *reader) add(n *yaml.Node, e *Error) {
	at := r.origin(n)
	e.File, e.Line = at.File, at.Line
	r.found = append(r.found, e)
}

func (r *reader) origin(n *yaml.Node) Origin {
	if !r.lines {
		return Origin{File: r.file}
	}
	return Origin{File: r.file, Line: n.Line}
}

// follow resolves aliases and counts steps; it returns nil beyond maxSteps.
func (r *reader) follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode && n.Alias != nil && r.steps <= maxSteps {
		r.steps++
		n = n.Alias
	}
	if r.steps++; r.steps > maxSteps {
		if r.steps == maxSteps+1 {
			r.fail(n, "", fmt.Sprintf("has more than %d values, including values repeated by aliases", maxSteps), "")
			r.steps++
		}
		return nil
	}
	return n
}

// section decodes a mapping of s's children and passes each option to set.
func (r *reader) section(n *yaml.Node, s *schema, set func(option *schema, v reflect.Value, at *yaml.Node)) {
	if isNull(n) {
		return // a section whose every line is commented out
	}
	r.mapping(n, s.key, fmt.Sprintf("must be a section (keys: %s)", strings.Join(s.childNames(), ", ")), func(name string, key, value *yaml.Node) {
		child := s.child(name)
		if renamed := s.renamed(name); child == nil && renamed != nil {
			r.renamed(renamed, dotted(s.key, name), key)
			child = renamed
		}
		switch {
		case child == nil:
			r.unknown(key, s, name)
		case child.isSection():
			if value = r.follow(value); value != nil {
				r.section(value, child, set)
			}
		default:
			if v, ok := r.value(value, child); ok {
				set(child, v, key)
			}
		}
	})
}

// unknownKey begins the problem of a key that there is not.
const unknownKey = "unknown key"

func (r *reader) unknown(at *yaml.Node, s *schema, name string) {
	if len(r.found) >= section.MaxReported {
		r.fail(at, dotted(s.key, name), unknownKey, "") // not shown, so the nearest key is not searched for
		return
	}
	near, problem := s.nearestKey(r.root, name), unknownKey
	if near == "" {
		problem = unknownKey + "; the keys here are " + strings.Join(s.childNames(), ", ")
	}
	r.fail(at, dotted(s.key, name), problem, near)
}

// renamed adds a note that a source uses a key's earlier name.
func (r *reader) renamed(option *schema, was string, at *yaml.Node) {
	r.notes = append(r.notes, fmt.Sprintf("%s: %s was renamed to %s; please use the new name", r.origin(at), was, option.key))
}

// keep stores an option's value in the reader's layer.
func (r *reader) keep(option *schema, v reflect.Value, at *yaml.Node) {
	r.into.values[option.key] = v
	r.into.origins[option.key] = r.origin(at)
}

// mapping calls each for every entry of a mapping node. It reports duplicate keys,
// merge keys and keys that are not text as mistakes.
func (r *reader) mapping(n *yaml.Node, key, wants string, each func(name string, key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, key, fmt.Sprintf("%s, is %s", wants, describe(n)), "")
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := r.follow(n.Content[i])
		switch {
		case name == nil:
			return
		case name.ShortTag() == "!!merge":
			r.fail(name, key, "merge keys (<<) are not read; write the values out", "")
		case name.Kind != yaml.ScalarNode:
			r.fail(name, key, "a key must be plain text, is "+describe(name), "")
		case first[name.Value] != 0:
			r.fail(n.Content[i], dotted(key, name.Value), fmt.Sprintf("is given twice, first on line %d", first[name.Value]), "")
		default:
			first[name.Value] = max(n.Content[i].Line, 1)
			at := *name
			at.Line = n.Content[i].Line
			each(name.Value, &at, n.Content[i+1])
		}
	}
}

// value decodes and checks an option, or one element of a list or map.
func (r *reader) value(n *yaml.Node, s *schema) (reflect.Value, bool) {
	if n = r.follow(n); n == nil {
		return reflect.Value{}, false
	}
	before := len(r.found)
	v := reflect.New(s.typ).Elem()
	switch s.typ.Kind() {
	case reflect.Map:
		r.entries(n, s, v)
	case reflect.Slice:
		r.list(n, s, v)
	case reflect.Struct:
		r.structure(n, s, v)
	default:
		r.scalar(n, s, v)
	}
	return v, len(r.found) == before
}

func (r *reader) entries(n *yaml.Node, s *schema, v reflect.Value) {
	v.Set(reflect.MakeMap(s.typ))
	if isNull(n) {
		return
	}
	r.mapping(n, s.key, "must be a mapping", func(name string, key, value *yaml.Node) {
		entry := dotted(s.key, name)
		if element, ok := r.value(value, s.element(entry)); ok {
			v.SetMapIndex(reflect.ValueOf(name), element)
			r.into.origins[entry] = r.origin(key)
		}
	})
}

// list decodes a list; a single value stands for a list of one.
func (r *reader) list(n *yaml.Node, s *schema, v reflect.Value) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	v.Set(reflect.MakeSlice(s.typ, 0, len(items)))
	for _, item := range items {
		element, ok := r.value(item, s.element(s.key))
		if !ok {
			return
		}
		v.Set(reflect.Append(v, element))
	}
}

// structure decodes a struct inside a map; a plain text stands for its first field.
func (r *reader) structure(n *yaml.Node, s *schema, v reflect.Value) {
	if n.Kind == yaml.ScalarNode {
		if first, ok := r.value(n, s.children[0]); ok {
			v.FieldByIndex(s.children[0].index).Set(first)
		}
		return
	}
	r.section(n, s, func(option *schema, field reflect.Value, _ *yaml.Node) {
		v.FieldByIndex(option.index).Set(field)
	})
}

func (r *reader) scalar(n *yaml.Node, s *schema, v reflect.Value) {
	if isNull(n) {
		r.fail(n, s.key, "has no value; set it to "+wants(s)+" or leave the key out", "")
		return
	}
	if text, ok := s.choiceOf(n); ok {
		v.SetString(text)
		return
	}
	if !hasKind(n, s.typ.Kind()) || n.Decode(v.Addr().Interface()) != nil {
		problem := fmt.Sprintf("must be %s, is %s", wants(s), describe(n))
		if s.choices == nil && s.typ.Kind() == reflect.String && isNumberLike(n) {
			problem += "; quote it to make it text"
		}
		r.fail(n, s.key, problem, "")
		return
	}
	if e := checkValue(s, v); e != nil {
		r.add(n, e)
		return
	}
	if s.path != "" {
		v.SetString(absolute(v.String(), r.dir, s.path))
	}
}

// choiceOf returns a choice that YAML reads as a boolean or a number, as true and 12.
func (s *schema) choiceOf(n *yaml.Node) (text string, ok bool) {
	if s.choices == nil || n.Kind != yaml.ScalarNode {
		return "", false
	}
	text = n.Value
	if n.ShortTag() == "!!bool" {
		text = strings.ToLower(text)
	}
	return text, isNumberLike(n) && slices.Contains(s.choices, text)
}

// hasKind reports whether a scalar is written as a value of the kind: text is never taken for a number, nor a number for text.
func hasKind(n *yaml.Node, kind reflect.Kind) bool {
	if n.Kind != yaml.ScalarNode {
		return false
	}
	switch tag := n.ShortTag(); kind {
	case reflect.String:
		return tag == "!!str"
	case reflect.Bool:
		return tag == "!!bool"
	case reflect.Float64:
		return tag == "!!float" || tag == "!!int"
	default:
		return tag == "!!int"
	}
}

// isNumberLike reports whether n is a number, boolean or date that quotes would make text.
func isNumberLike(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && slices.Contains([]string{"!!int", "!!float", "!!bool", "!!timestamp"}, n.ShortTag())
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// absolute resolves a path against dir. A path of kind "source" may also be the name of
// weights, which stays as it is.
func absolute(path, dir, kind string) string {
	if path == "" || kind == "source" && IsNamedSource(path) {
		return path
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path)
}

// IsNamedSource reports whether a text names weights, as in openai:NAME or builtin:NAME,
// instead of a path. A file of such a name is ./NAME.
func IsNamedSource(text string) bool {
	return builtin.Is(text) || published.IsName(text)
}
