package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"acdclip/pkg/spelling"
)

// EnvPrefix is the prefix of every key's environment variable: model.image_size is ACDCLIP_MODEL_IMAGE_SIZE.
const EnvPrefix = "ACDCLIP_"

// EnvGolden is the only variable with that prefix that is not a key: the folder of the golden test data.
const EnvGolden = EnvPrefix + "GOLDEN"

// envName returns a key's environment variable.
func envName(key string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func (l *loader) newReader(file, dir string, lines bool) *reader {
	return &reader{root: l.schema, file: file, lines: lines, dir: dir, into: newLayer()}
}

// readYAML decodes one file's text.
func (r *reader) readYAML(text []byte) {
	node, problem := parse(text)
	if problem != nil {
		problem.File = r.file
		r.found = append(r.found, problem)
		return
	}
	if node == nil {
		return
	}
	if node = r.follow(node); node != nil {
		r.section(node, r.root, r.keep)
	}
}

// readSet decodes "key=value" arguments; the last argument for a key wins.
func (r *reader) readSet(arguments []string) {
	for _, argument := range arguments {
		key, value, ok := strings.Cut(argument, "=")
		if !ok || key == "" {
			r.fail(nil, argument, "must be key=value, as in --set model.groups=4", "")
			continue
		}
		r.assignText(key, value)
	}
}

// readEnvironment decodes the "NAME=value" pairs whose names start with EnvPrefix. An empty value counts as not set.
func (r *reader) readEnvironment(environment []string) {
	keys := map[string]string{}
	for _, option := range r.root.options() {
		keys[envName(option.key)] = option.key
		if option.was != "" {
			was := strings.TrimSuffix(option.key, option.name) + option.was
			keys[envName(was)] = was
		}
	}
	for _, pair := range environment {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, EnvPrefix) || name == EnvGolden || value == "" {
			continue
		}
		r.file = "environment"
		key, ok := keys[name]
		if !ok {
			near := spelling.Nearest(strings.ToLower(name), lowered(slices.Sorted(maps.Keys(keys))))
			r.fail(nil, name, "matches no key", strings.ToUpper(near))
			continue
		}
		r.file = name
		r.assignText(key, value)
	}
}

func lowered(list []string) []string {
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return list
}

// readFlags decodes the values of flags, given by key.
func (r *reader) readFlags(flags map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		target, wrap := r.resolve(key)
		if target == nil {
			continue
		}
		var value yaml.Node
		if err := value.Encode(flags[key]); err != nil {
			r.fail(nil, key, "cannot be used: "+err.Error(), "")
			continue
		}
		r.store(wrap(&value))
	}
}

// assignText sets a dotted key to a value written as YAML. The value of a text option
// needs no quotes.
func (r *reader) assignText(key, text string) {
	target, wrap := r.resolve(key)
	if target == nil {
		return
	}
	if target.takesCommas(text) {
		r.assignList(wrap, target, text)
		return
	}
	if target.takesText(text) {
		r.store(wrap(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}))
		return
	}
	node, problem := parse([]byte(text))
	if problem != nil {
		r.fail(nil, key, problem.Problem, "")
		return
	}
	if node == nil {
		node = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"}
	}
	r.store(wrap(node))
}

// takesCommas reports whether a value from the command line is a comma-separated list
// without brackets. Lists of paths need brackets, because paths may contain commas.
func (s *schema) takesCommas(text string) bool {
	return s.typ.Kind() == reflect.Slice && s.path == "" && !strings.HasPrefix(text, "[") && !strings.ContainsAny(text, `"'`)
}

// assignList stores a comma-separated list; empty text is an empty list.
func (r *reader) assignList(wrap func(*yaml.Node) (*schema, *yaml.Node), list *schema, text string) {
	node := &yaml.Node{Kind: yaml.SequenceNode}
	for part := range strings.SplitSeq(text, ",") {
		item := &yaml.Node{Kind: yaml.ScalarNode, Value: strings.TrimSpace(part)} // its tag is found from the value
		if list.typ.Elem().Kind() == reflect.String {
			item.Tag = "!!str"
		}
		if item.Value != "" {
			node.Content = append(node.Content, item)
		}
	}
	r.store(wrap(node))
}

// takesText reports whether a value from the command line is plain text, not YAML.
func (s *schema) takesText(text string) bool {
	opening := ""
	if text != "" {
		opening = text[:1]
	}
	switch s.typ.Kind() {
	case reflect.String:
		return !strings.ContainsAny(opening, `"'`)
	case reflect.Slice:
		return s.typ.Elem().Kind() == reflect.String && !strings.ContainsAny(opening, `"'[`)
	case reflect.Struct:
		isEntry := s.index == nil // of a map: a text stands for its first field
		return isEntry && !strings.ContainsAny(opening, `"'{`)
	}
	return false
}

// resolve finds the schema of a dotted key: a section, an option, an entry of a map
// ("data.pairing.visa") or a field of an entry ("data.roots.bolts.domain"). wrap turns a
// value for the key into a value for the option or section that contains it.
func (r *reader) resolve(key string) (target *schema, wrap func(*yaml.Node) (*schema, *yaml.Node)) {
	for _, s := range r.root.everyKey() {
		if was := strings.TrimSuffix(s.key, s.name) + s.was; s.was != "" && was == key {
			r.renamed(s, key, nil)
			key = s.key
		}
		if s.key == key {
			return s, func(value *yaml.Node) (*schema, *yaml.Node) { return s, value }
		}
		entry, ok := strings.CutPrefix(key, s.key+".")
		if !ok || s.typ.Kind() != reflect.Map {
			continue
		}
		target = s.element(key)
		var part string
		for _, child := range target.children {
			if name, ok := strings.CutSuffix(entry, "."+child.name); ok {
				entry, part, target = name, child.name, child
				break
			}
		}
		return target, func(value *yaml.Node) (*schema, *yaml.Node) {
			if part != "" {
				value = oneEntry(part, value)
			}
			return s, oneEntry(entry, value)
		}
	}
	r.unknownPath(key)
	return nil, nil
}

func oneEntry(name string, value *yaml.Node) *yaml.Node {
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{key, value}}
}

// unknownPath reports an unknown dotted key.
func (r *reader) unknownPath(key string) {
	var all []string
	for _, s := range r.root.everyKey() {
		all = append(all, s.key)
	}
	if near := spelling.Nearest(key, all); near != "" {
		r.fail(nil, key, unknownKey, near)
		return
	}
	section, rest := r.deepest(key)
	first, _, _ := strings.Cut(rest, ".")
	if near := spelling.Nearest(first, section.childNames()); near != "" {
		r.fail(nil, key, unknownKey, dotted(section.key, near))
		return
	}
	r.unknown(nil, section, rest)
}

// deepest follows a dotted key as far as sections exist; it returns the last section and
// the rest of the key.
func (r *reader) deepest(key string) (section *schema, rest string) {
	section, rest = r.root, key
	for {
		name, deeper, ok := strings.Cut(rest, ".")
		child := section.child(name)
		if !ok || child == nil || !child.isSection() {
			return section, rest
		}
		section, rest = child, deeper
	}
}

// store decodes the value of a section or option and merges it into the layer.
func (r *reader) store(s *schema, value *yaml.Node) {
	if s.isSection() {
		r.section(value, s, r.merge)
		return
	}
	if v, ok := r.value(value, s); ok {
		r.merge(s, v, value)
	}
}

// merge is like keep, but adds the entries of a map to those already in the layer.
func (r *reader) merge(option *schema, v reflect.Value, at *yaml.Node) {
	if held, ok := r.into.values[option.key]; ok && v.Kind() == reflect.Map {
		mergeMap(held, v)
		v = held
	}
	r.keep(option, v, at)
}
