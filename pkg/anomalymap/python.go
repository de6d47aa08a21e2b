package anomalymap

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// pythonTuple and pythonList are sequences of string, int64, bool, nil,
// pythonTuple and pythonList.
type (
	pythonTuple []any
	pythonList  []any
)

// pythonValue is a value and how it is written.
type pythonValue struct {
	value  any
	source string
}

// parsePythonDict reads a dict with keys of text, written as Python's repr does:
// no escapes, prefixes or other notations. An integer beyond int64 becomes the
// nearest int64; Python 2's 3L is 3.
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
			return nil, fmt.Errorf("the key %q is there twice", key)
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

// pythonParser holds what has not been read. Its methods skip spaces before what they read.
type pythonParser struct{ rest string }

func (p *pythonParser) skipSpaces() { p.rest = strings.TrimLeft(p.rest, " ") }

// next reports whether token comes next.
func (p *pythonParser) next(token string) bool {
	p.skipSpaces()
	return strings.HasPrefix(p.rest, token)
}

// accept reads token if it comes next.
func (p *pythonParser) accept(token string) bool {
	if !p.next(token) {
		return false
	}
	p.rest = p.rest[len(token):]
	return true
}

func (p *pythonParser) unexpected() error {
	if p.rest == "" {
		return errors.New("it ends too early")
	}
	return fmt.Errorf("%.20q is not expected", p.rest)
}

// value is as deep as there are brackets, of which a header has room for few.
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

// tuple reads what follows an opening parenthesis. Python's (3) is no tuple but a 3.
func (p *pythonParser) tuple() (any, error) {
	values, comma, err := p.values(")")
	if err == nil && len(values) == 1 && !comma {
		return values[0], nil
	}
	return pythonTuple(values), err
}

// values reads up to end, and says whether a comma came right before it.
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
			return "", fmt.Errorf("the text %s%.20q does not end or has unusual characters", quote, p.rest)
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
	if end <= sign { // no digit, or nothing behind the digits, where a bracket is due
		return 0, p.unexpected()
	}
	// The only error left is ErrRange, and then n is the nearest int64.
	n, _ := strconv.ParseInt(p.rest[:end], 10, 64)
	p.rest = strings.TrimPrefix(p.rest[end:], "L")
	return n, nil
}
