package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"acdclip/pkg/domain"
	"acdclip/pkg/regularfile"
)

// BuiltinNames returns the built-in table for the public benchmarks.
func BuiltinNames() *Names {
	names := &Names{domains: map[string]domain.Domain{}, classes: map[string]map[string]string{}}
	for _, b := range Benchmarks() {
		key := datasetKey(b.Key)
		names.domains[key] = b.Domain
		names.classes[key] = map[string]string{}
		for _, class := range b.Classes {
			for _, name := range append([]string{class.Name}, class.Aliases...) {
				names.classes[key][classKey(name)] = class.Prompt
			}
		}
	}
	return names
}

// Names is an immutable table of prompt names, the names of a dataset's classes in
// text prompts. It also contains the datasets' domains.
type Names struct {
	domains map[string]domain.Domain     // by datasetKey
	classes map[string]map[string]string // by datasetKey and classKey
	chosen  bool                         // it is the user's, not the built-in table
}

// Prompt returns the prompt name of a class of a dataset, given by one or more
// names; SpokenName(class) if the table does not contain it.
func (n *Names) Prompt(class string, datasets ...string) string {
	if prompt, ok := n.listed(class, datasets); ok {
		return prompt
	}
	return SpokenName(class)
}

func (n *Names) listed(class string, datasets []string) (prompt string, ok bool) {
	for _, dataset := range datasets {
		if prompt, ok = n.classes[datasetKey(dataset)][classKey(class)]; ok {
			return prompt, true
		}
	}
	return "", false
}

// class describes a class of a dataset, given by one or more names.
func (n *Names) class(name string, datasets []string) Class {
	_, listed := n.listed(name, datasets)
	return Class{Name: name, Prompt: n.Prompt(name, datasets...), Chosen: listed && n.chosen}
}

// SpokenName returns a class's name with spaces in place of _ and -.
func SpokenName(class string) string {
	own := strings.Join(strings.FieldsFunc(class, func(r rune) bool { return r == '_' || r == '-' || unicode.IsSpace(r) }), " ")
	if own == "" {
		return class
	}
	return own
}

// Domain returns the domain of a dataset, given by one or more names; "" if the
// table does not contain it.
func (n *Names) Domain(datasets ...string) domain.Domain {
	for _, dataset := range datasets {
		if domain, ok := n.domains[datasetKey(dataset)]; ok {
			return domain
		}
	}
	return ""
}

// classKey normalises the spellings of a class's name.
func classKey(name string) string { return strings.ToLower(name) }

// Limits of a file of names, which usually has a few kilobytes.
const (
	maxNamesBytes  = 1 << 20
	maxPromptBytes = 1000
)

// LoadNames reads a table of prompt names from a JSON file:
//
//	{"domains": {"VisA": "Industrial"}, "names": {"VisA": {"pcb1": "circuit board"}}}
//
// "domains" is optional. Unknown and repeated keys, empty names, names with control
// characters and data after the object are errors with the line number.
func LoadNames(path string) (*Names, error) {
	text, err := regularfile.Head(path, maxNamesBytes+1)
	if err != nil {
		return nil, fmt.Errorf("reading prompt names: %w", err)
	}
	names, err := parseNames(text)
	if err != nil {
		return nil, fmt.Errorf("prompt names in %s: %w", path, err)
	}
	return names, nil
}

func parseNames(text []byte) (*Names, error) {
	if len(text) > maxNamesBytes {
		return nil, fmt.Errorf("the file is larger than %d bytes", maxNamesBytes)
	}
	if !utf8.Valid(text) {
		return nil, errors.New("the file is not UTF-8 text")
	}
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	p := namesParser{decoder: json.NewDecoder(bytes.NewReader(text))}
	names, err := p.file()
	if err != nil {
		line := 1 + bytes.Count(text[:p.decoder.InputOffset()], []byte("\n"))
		return nil, fmt.Errorf("line %d: %w", line, err)
	}
	return names, nil
}

// namesParser reads token by token, because decoding into maps would silently
// accept repeated keys.
type namesParser struct {
	decoder *json.Decoder
}

func (p *namesParser) file() (*Names, error) {
	names := &Names{chosen: true, domains: map[string]domain.Domain{}, classes: map[string]map[string]string{}}
	err := p.object(strings.Clone, func(key string) error {
		switch key {
		case "domains":
			return p.object(datasetKey, func(dataset string) error {
				text, err := p.text()
				if err != nil {
					return err
				}
				names.domains[datasetKey(dataset)], err = domain.Parse(text)
				return err
			})
		case "names":
			return p.object(datasetKey, func(dataset string) error {
				classes := map[string]string{}
				names.classes[datasetKey(dataset)] = classes
				return p.object(classKey, func(class string) error {
					prompt, err := p.prompt()
					classes[classKey(class)] = prompt
					return err
				})
			})
		}
		return fmt.Errorf("unknown key %q: expected \"domains\" or \"names\"", key)
	})
	if err != nil {
		return nil, err
	}
	if _, err := p.decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("unexpected data after the object")
	}
	if len(names.classes) == 0 {
		return nil, errors.New("\"names\" is missing or empty")
	}
	return names, nil
}

// object reads one JSON object and calls value for each key; value must read the
// key's value. Two keys with the same result of same are an error.
func (p *namesParser) object(same func(string) string, value func(key string) error) error {
	if err := p.delimiter('{', "an object"); err != nil {
		return err
	}
	seen := map[string]bool{}
	for p.decoder.More() {
		key, err := p.text()
		if err != nil {
			return err
		}
		if seen[same(key)] {
			return fmt.Errorf("duplicate key %q", key)
		}
		seen[same(key)] = true
		if err := value(key); err != nil {
			return err
		}
	}
	return p.delimiter('}', "the end of the object")
}

func (p *namesParser) delimiter(want json.Delim, what string) error {
	token, err := p.decoder.Token()
	if err != nil {
		return jsonError(err)
	}
	if token != want {
		return fmt.Errorf("expected %s, got %v", what, token)
	}
	return nil
}

func (p *namesParser) text() (string, error) {
	token, err := p.decoder.Token()
	if err != nil {
		return "", jsonError(err)
	}
	text, ok := token.(string)
	if !ok {
		return "", fmt.Errorf("expected a quoted string, got %v", token)
	}
	return text, nil
}

func (p *namesParser) prompt() (string, error) {
	prompt, err := p.text()
	switch {
	case err != nil:
		return "", err
	case strings.TrimSpace(prompt) == "":
		return "", errors.New("a prompt name is empty")
	case len(prompt) > maxPromptBytes:
		return "", fmt.Errorf("a prompt name is longer than %d bytes", maxPromptBytes)
	case strings.ContainsFunc(prompt, unicode.IsControl):
		return "", fmt.Errorf("prompt name %q contains a control character", prompt)
	}
	return prompt, nil
}

func jsonError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("unexpected end of file")
	}
	return err
}
