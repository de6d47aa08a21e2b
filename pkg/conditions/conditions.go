// Package conditions records and compares the conditions that results depend on, to
// decide whether an evaluation or a training can be resumed, whether shards belong
// together, and whether existing results are the requested ones.
package conditions

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/digest"
)

// Weight is the effect of a condition.
type Weight string

const (
	Numbers Weight = "numbers" // changes the results
	Bits    Weight = "bits"    // may change the results within rounding errors, like another machine
	Extras  Weight = "extras"  // changes only additional output
)

// Condition is one value that results depend on.
type Condition struct {
	Weight Weight
	Name   string
	Value  string // "" for none; a hash begins with its method, such as "sha256:" or "sha256v2:", and is not shown to the user
}

// Record is all conditions of some results, with unique names. As JSON it is an object of
// the values by weight and name.
type Record []Condition

// Of returns a condition with value formatted as text.
func Of(weight Weight, name string, value any) Condition {
	return Condition{weight, name, fmt.Sprint(value)}
}

// Unusual returns the condition, or none if value is the usual one, for a condition that
// older records lack because theirs was the usual one.
func Unusual[T comparable](weight Weight, name string, value, usual T) Record {
	if value == usual {
		return nil
	}
	return Record{Of(weight, name, value)}
}

// MarshalJSON groups the values by weight.
func (r Record) MarshalJSON() ([]byte, error) {
	groups := map[Weight]map[string]string{}
	for _, c := range r {
		if groups[c.Weight] == nil {
			groups[c.Weight] = map[string]string{}
		}
		groups[c.Weight][c.Name] = c.Value
	}
	return json.Marshal(groups)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Record) UnmarshalJSON(text []byte) error {
	var groups map[Weight]map[string]string
	if err := json.Unmarshal(text, &groups); err != nil {
		return err
	}
	*r = nil
	for weight, values := range groups {
		for name, value := range values {
			*r = append(*r, Condition{weight, name, value})
		}
	}
	r.sort()
	return nil
}

// sort sorts the conditions, so that their order does not depend on their source.
func (r Record) sort() {
	slices.SortFunc(r, func(a, b Condition) int { return cmp.Or(cmp.Compare(a.Weight, b.Weight), cmp.Compare(a.Name, b.Name)) })
}

// Flattened returns a condition for each value of a JSON object, with dotted names for
// nested objects, below prefix.
func Flattened(weight Weight, prefix string, object any) (Record, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	var record Record
	var walk func(prefix string, tree map[string]any) error
	walk = func(prefix string, tree map[string]any) error {
		for name, value := range tree {
			if section, ok := value.(map[string]any); ok {
				if err := walk(prefix+name+".", section); err != nil {
					return err
				}
				continue
			}
			text, err := json.Marshal(value)
			if err != nil {
				return err
			}
			record = append(record, Of(weight, prefix+name, strings.Trim(string(text), `"`)))
		}
		return nil
	}
	err = walk(prefix, tree)
	record.sort()
	return record, err
}

// Only returns the conditions with one of these weights.
func (r Record) Only(weights ...Weight) Record {
	return slices.DeleteFunc(slices.Clone(r), func(c Condition) bool { return !slices.Contains(weights, c.Weight) })
}

// Without returns the conditions except the one with this name.
func (r Record) Without(name string) Record {
	return slices.DeleteFunc(slices.Clone(r), func(c Condition) bool { return c.Name == name })
}

// Named returns the conditions whose names occur in other.
func (r Record) Named(other Record) Record {
	return slices.DeleteFunc(slices.Clone(r), func(c Condition) bool {
		_, named := other.find(c.Name)
		return !named
	})
}

// Text returns the record as text, which is equal for records of equal conditions.
func (r Record) Text() string {
	ordered := slices.Clone(r)
	ordered.sort()
	return fmt.Sprintf("%q", ordered)
}

// Compare returns nil if both records have the same conditions with the same values, in
// any order. Otherwise the error lists the differences, where "there" means r and "here"
// means other.
func (r Record) Compare(other Record) error {
	var texts []string
	for _, there := range r {
		here, found := other.find(there.Name)
		switch {
		case !found:
			texts = append(texts, fmt.Sprintf("%s: %s there, not recorded here", there.Name, there.shown()))
		case here.Value == there.Value:
		case here.isHash() || there.isHash():
			texts = append(texts, there.Name)
		default:
			texts = append(texts, fmt.Sprintf("%s: %s there, %s here", there.Name, there.shown(), here.shown()))
		}
	}
	for _, here := range other {
		if _, found := r.find(here.Name); !found {
			texts = append(texts, fmt.Sprintf("%s: not recorded there, %s here", here.Name, here.shown()))
		}
	}
	if texts == nil {
		return nil
	}
	return errors.New(strings.Join(texts, "; "))
}

// shown returns the value for a message.
func (c Condition) shown() string {
	if c.isHash() {
		return "a value"
	}
	return cmp.Or(c.Value, "none")
}

func (c Condition) isHash() bool { return strings.HasPrefix(c.Value, "sha256") }

func (r Record) find(name string) (Condition, bool) {
	at := slices.IndexFunc(r, func(c Condition) bool { return c.Name == name })
	if at < 0 {
		return Condition{}, false
	}
	return r[at], true
}

// Digest returns a hash of the record, which is equal for records of equal conditions.
func (r Record) Digest() string {
	sum := sha256.Sum256([]byte(r.Text()))
	return digest.SHA256(sum[:])
}
