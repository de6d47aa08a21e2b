package anomalymap

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// pythonTuple and pythonList are sequences whose items are string, int64, bool, nil,
// pythonTuple or pythonList.
type (
	pythonTuple []any
	pythonList  []any
)

// pythonValue is a value with its source text.
type pythonValue struct {
	value  any
	source string
}

// parsePythonDict parses a dict with string keys in the format of Python's repr, without
// escapes, prefixes or other notations. An integer beyond int64 becomes the nearest
// int64; Python 2's 3L is 3.
func parsePythonDict(text string) (map[string]pythonValue, error) {
	p := pythonParser{strings.TrimRight(text, " \n")}
	if !p.accept("{") {
		return nil, errors.New("it does not start with {")
	}
	dict := map[string]pythonValue{}
	for !p.accept("}") {
		key, err := p.text()
		if err != nil {
			return nil, err
		}
		if _, twice := dict[key]; twice {
			return nil, fmt.Errorf("duplicate key %q", key)
		}
		if !p.accept(":") {
			return nil, p.unexpected()
		}
		p.skipSpaces()
		before := p.rest
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		dict[key] = pythonValue{value, before[:len(before)-len(p.rest)]}
		if !p.accept(",") && !p.next("}") {
			return nil, p.unexpected()
		}
	}
	if p.rest != "" {
		return nil, p.unexpected()
	}
	return dict, nil
}

// pythonParser parses rest. Its methods skip leading spaces.
type pythonParser struct{ rest string }

func (p *pythonParser) skipSpaces() { p.rest = strings.TrimLeft(p.rest, " ") }

// next reports whether rest begins with token.
func (p *pythonParser) next(token string) bool {
	p.skipSpaces()
	return strings.HasPrefix(p.rest, token)
}

// accept reads token if rest begins with it, and reports whether it did.
func (p *pythonParser) accept(token string) bool {
	if !p.next(token) {
		return false
	}
	p.rest = p.rest[len(token):]
	return true
}

func (p *pythonParser) unexpected() error {
	if p.rest == "" {
		return errors.New("unexpected end")
	}
	return fmt.Errorf("unexpected %.20q", p.rest)
}

// value reads a value. Its recursion depth is the number of brackets, which a header's size limits.
func (p *pythonParser) value() (any, error) {
	switch {
	case p.accept("True"):
		return true, nil
	case p.accept("False"):
		return false, nil
	case p.accept("None"):
		return nil, nil
	case p.accept("("):
		return p.tuple()
	case p.accept("["):
		values, _, err := p.values("]")
		return pythonList(values), err
	case p.next("'"), p.next(`"`):
		return p.text()
	}
	return p.integer()
}

// tuple reads a tuple after the opening parenthesis. As in Python, (3) is not a tuple but 3.
func (p *pythonParser) tuple() (any, error) {
	values, comma, err := p.values(")")
	if err == nil && len(values) == 1 && !comma {
		return values[0], nil
	}
	return pythonTuple(values), err
}

// values reads values up to end, and reports whether a comma was directly before it.
func (p *pythonParser) values(end string) (values []any, comma bool, err error) {
	for !p.accept(end) {
		value, err := p.value()
		if err != nil {
			return nil, false, err
		}
		values = append(values, value)
		if comma = p.accept(","); !comma && !p.next(end) {
			return nil, false, p.unexpected()
		}
	}
	return values, comma, nil
}

func (p *pythonParser) text() (string, error) {
	for _, quote := range []string{"'", `"`} {
		if !p.accept(quote) {
			continue
		}
		text, rest, closed := strings.Cut(p.rest, quote)
		odd := func(r rune) bool { return r == '\\' || !unicode.IsPrint(r) }
		if !closed || strings.ContainsFunc(text, odd) {
			return "", fmt.Errorf("the string %s%.20q is unterminated or has unsupported characters", quote, p.rest)
		}
		p.rest = rest
		return text, nil
	}
	return "", p.unexpected()
}

func (p *pythonParser) integer() (int64, error) {
	p.skipSpaces()
	notDigit := func(r rune) bool { return r < '0' || r > '9' }
	sign := len(p.rest) - len(strings.TrimPrefix(p.rest, "-"))
	end := strings.IndexFunc(p.rest[sign:], notDigit) + sign
	if end <= sign { // no digit, or nothing after the digits, where a bracket is expected
		return 0, p.unexpected()
	}
	// The only possible error is ErrRange, for which n is the nearest int64.
	n, _ := strconv.ParseInt(p.rest[:end], 10, 64)
	p.rest = strings.TrimPrefix(p.rest[end:], "L")
	return n, nil
}
