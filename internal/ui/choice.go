package ui

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// choice is a flag with a fixed set of values.
type choice[S ~string] struct {
	value  *S
	values []S
}

// Choice registers a flag that accepts one of values; *value is its default.
func Choice[S ~string](flags *pflag.FlagSet, value *S, name string, values []S, usage string) {
	flags.Var(&choice[S]{value, values}, name, usage)
}

func (c *choice[S]) String() string { return string(*c.value) }

// Type returns the text that the help shows after the flag.
func (c *choice[S]) Type() string { return c.list("|") }

// Set sets the value from the command line.
func (c *choice[S]) Set(text string) error {
	for _, known := range c.values {
		if text == string(known) {
			*c.value = known
			return nil
		}
	}
	return fmt.Errorf("it must be one of %s", c.list(", "))
}

func (c *choice[S]) list(separator string) string {
	names := make([]string, len(c.values))
	for i, value := range c.values {
		names[i] = string(value)
	}
	return strings.Join(names, separator)
}
