package main

import (
	"io"

	"github.com/spf13/pflag"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/present"
)

// outputFile is one file that a verb writes when it is asked to.
type outputFile struct {
	path      string // "" where it is not
	overwrite bool
}

func (o *outputFile) register(flags *pflag.FlagSet, usage string) {
	flags.StringVar(&o.path, "out", "", usage)
	flags.BoolVar(&o.overwrite, "overwrite", false, "replace the file of --out where it is there")
}

// check refuses what could not be written in the end.
func (o *outputFile) check() error {
	if o.path == "" {
		return nil
	}
	if err := atomicfile.Check(o.path); err != nil {
		return usageError{err}
	}
	if present.Any(o.path) && !o.overwrite {
		return usagef("%s exists already: give another file with --out, or replace it with --overwrite", o.path)
	}
	return nil
}

// write writes the file, whole or not at all.
func (o *outputFile) write(write func(io.Writer) error) error {
	return atomicfile.Write(o.path, write)
}
