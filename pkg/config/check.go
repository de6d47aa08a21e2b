package config

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/config/section"
)

// interval is a range of numbers; the zero value permits every number.
type interval struct {
	low, high         float64
	lowOpen, highOpen bool
	bounded           bool
}

// parseInterval reads mathematical interval notation, as in "(0,1]" or "[1,inf)".
func parseInterval(text string) interval {
	if text == "" {
		return interval{}
	}
	low, high, _ := strings.Cut(text[1:len(text)-1], ",")
	i := interval{lowOpen: text[0] == '(', highOpen: text[len(text)-1] == ')', bounded: true}
	i.low, _ = strconv.ParseFloat(low, 64)
	i.high, _ = strconv.ParseFloat(high, 64)
	return i
}

func (i interval) contains(x float64) bool {
	if !i.bounded {
		return true
	}
	above := x > i.low || x == i.low && !i.lowOpen
	below := x < i.high || x == i.high && !i.highOpen
	return above && below
}

// String returns the range in words: "at least 0", "more than 0 and at most 1", "between 1 and 64".
func (i interval) String() string {
	low := fmt.Sprintf("at least %v", i.low)
	if i.lowOpen {
		low = fmt.Sprintf("more than %v", i.low)
	}
	switch {
	case math.IsInf(i.high, 1):
		return low
	case !i.lowOpen && !i.highOpen:
		return fmt.Sprintf("between %v and %v", i.low, strconv.FormatFloat(i.high, 'f', -1, 64))
	case i.highOpen:
		return fmt.Sprintf("%s and less than %v", low, i.high)
	}
	return fmt.Sprintf("%s and at most %v", low, i.high)
}

// checkValue checks one option's value, independently of all other options.
func checkValue(s *schema, v reflect.Value) *Error {
	switch v.Kind() {
	case reflect.String:
		return checkText(s, v)
	case reflect.Int, reflect.Int64:
		return checkNumber(s, float64(v.Int()), v)
	case reflect.Float64:
		return checkNumber(s, v.Float(), v)
	case reflect.Slice:
		for i := range v.Len() {
			if e := checkValue(s.element(s.key), v.Index(i)); e != nil {
				return e
			}
		}
	}
	return nil
}

func checkNumber(s *schema, x float64, v reflect.Value) *Error {
	if s.interval.contains(x) && !math.IsInf(x, 0) {
		return nil
	}
	return &Error{Key: s.key, Problem: fmt.Sprintf("must be %v, is %v", s.interval, v.Interface())}
}

func checkText(s *schema, v reflect.Value) *Error {
	text := v.String()
	if s.choices == nil || text == "" && s.optional {
		return nil
	}
	wide, ok := v.Interface().(interface{ accepts(string) bool })
	if ok && wide.accepts(text) || !ok && slices.Contains(s.choices, text) {
		return nil
	}
	return oneOf(s.key, text, s.choices)
}

// checkFields checks each option of a struct independently of the others.
func checkFields(s *schema, root reflect.Value) []*Error {
	var found []*Error
	for _, option := range s.options() {
		if e := checkValue(option, option.value(root)); e != nil {
			found = append(found, e)
		}
	}
	return found
}

func notOneOf(text string, values []string) string {
	return fmt.Sprintf("must be %s, is %s", section.Listed(values), section.Printable(text))
}
