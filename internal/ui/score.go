package ui

import (
	"fmt"
	"strconv"
	"strings"
)

// Score is a flag that takes a score, a number from 0 to 1. It is read as
// scores are written, in single precision: a score copied from a row is that score.
type Score struct {
	Value *float32 // nil where the flag was not given
}

func (s *Score) String() string {
	if s.Value == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*s.Value), 'g', -1, 32)
}

// Type is what the help shows behind the flag.
func (s *Score) Type() string { return "F" }

// Set takes a value from the command line.
func (s *Score) Set(text string) error {
	parsed, err := strconv.ParseFloat(text, 32)
	value := float32(parsed)
	if err == nil && value >= 0 && value <= 1 { // NaN is neither
		s.Value = &value
		return nil
	}
	hint := ""
	if percent, ok := strings.CutSuffix(text, "%"); ok {
		if parsed, err := strconv.ParseFloat(strings.TrimSpace(percent), 64); err == nil && parsed >= 0 && parsed <= 100 {
			hint = fmt.Sprintf("; write %v for %s", parsed/100, text)
		}
	}
	return fmt.Errorf("it must be a number from 0 to 1, as scores are%s", hint)
}
