package config

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"acdclip/pkg/config/section"
)

// YAML returns every key with its value, in a fixed order. Load of the result gives c
// again. Text that is not UTF-8 is an error, because YAML cannot hold it.
func (c Config) YAML() ([]byte, error) {
	node, err := encode(schemaFor(c.Model, c.Loss), reflect.ValueOf(c))
	if err != nil {
		return nil, fmt.Errorf("writing configuration: %w", err)
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return nil, fmt.Errorf("writing configuration: %w", err)
	}
	return out.Bytes(), nil
}

func encode(s *schema, v reflect.Value) (*yaml.Node, error) {
	v = pointedTo(v)
	switch v.Kind() {
	case reflect.Struct:
		return encodeStruct(s, v)
	case reflect.Map:
		return encodeMap(s, v)
	case reflect.Slice:
		return encodeList(s, v)
	case reflect.String:
		return textNode(s.key, v.String())
	case reflect.Float64:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatFloat(v.Float(), 'g', -1, 64)}, nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(v.Interface())}, nil
}

func encodeStruct(s *schema, v reflect.Value) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, child := range s.children {
		field := v.Field(child.index[len(child.index)-1])
		if child.optional && field.IsZero() {
			continue
		}
		value, err := encode(child, field)
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: child.name}, value)
	}
	return node, nil
}

func encodeMap(s *schema, v reflect.Value) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode}
	if v.Len() == 0 {
		node.Style = yaml.FlowStyle
	}
	names := v.MapKeys()
	slices.SortFunc(names, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
	for _, name := range names {
		key, err := textNode(s.key, name.String())
		if err != nil {
			return nil, err
		}
		value, err := encode(s.element(dotted(s.key, name.String())), v.MapIndex(name))
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, key, value)
	}
	return node, nil
}

func encodeList(s *schema, v reflect.Value) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for i := range v.Len() {
		item, err := encode(s.element(s.key), v.Index(i))
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, item)
	}
	return node, nil
}

// textNode quotes text that YAML might otherwise read as something else.
func textNode(key, text string) (*yaml.Node, error) {
	if !utf8.ValidString(text) {
		return nil, &Error{Key: key, Problem: section.Printable(text) + " is not UTF-8, which YAML cannot hold"}
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	for _, r := range text {
		if !plain(r) {
			node.Style = yaml.DoubleQuotedStyle
		}
	}
	return node, nil
}

func plain(r rune) bool {
	switch {
	case '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
		return true
	}
	return r == '/' || r == '.' || r == '-' || r == '_'
}
