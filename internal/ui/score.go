package ui

import (
	"fmt"
	"strconv"
	"strings"
)

// Score is a flag for a score from 0 to 1. It is parsed in single precision, like scores
// in files, so a score copied from a row is exactly that score.
type Score struct {
	Value *float32 // nil if the flag was not given
}

func (s *Score) String() string {
	if s.Value == nil {
		return ""
	}
	return strconv.FormatFloat(float64(*s.Value), 'g', -1, 32)
}

// Type returns the text that the help shows after the flag.
func (s *Score) Type() string { return "F" }

// Set sets the value from the command line.
func (s *Score) Set(text string) error {
	parsed, err := strconv.ParseFloat(text, 32)
	value := float32(parsed)
	if err == nil && value >= 0 && value <= 1 { // false for NaN
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
