package ui

import (
	"strings"

	"github.com/spf13/pflag"
)

// Placeholders shows the word in backquotes at the start of each flag's usage after the
// flag, as in "--out DIR", and takes it out of the text.
func Placeholders(flags *pflag.FlagSet) {
	flags.VisitAll(func(flag *pflag.Flag) {
		rest, quoted := strings.CutPrefix(flag.Usage, "`")
		name, usage, ended := strings.Cut(rest, "` ")
		if !quoted || !ended {
			return
		}
		flag.Value, flag.Usage = named{flag.Value, name}, usage
		if flag.DefValue == "[]" {
			flag.DefValue = "" // pflag shows an empty list of a type that it does not know
		}
	})
}

// named is a value whose type is shown by another name.
type named struct {
	pflag.Value
	name string
}

func (n named) Type() string { return n.name }
