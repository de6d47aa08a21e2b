package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/report"
)

// datasetArgument is a dataset as a flag names it.
type datasetArgument struct {
	name string
	path string // "" where the configuration knows it
}

// parseDataset reads NAME, NAME=PATH or PATH; a path's last folder is its name.
func parseDataset(flag, text string) (datasetArgument, error) {
	name, path, both := strings.Cut(text, "=")
	switch {
	case both && !isPath(name):
		if name == "" || path == "" {
			return datasetArgument{}, usagef("%s %q: it must be NAME, NAME=PATH or PATH", flag, text)
		}
		return datasetArgument{name, path}, nil
	case text == "":
		return datasetArgument{}, usagef("%s names no dataset", flag)
	case !isPath(text):
		return datasetArgument{name: text}, nil
	}
	absolute, err := filepath.Abs(text)
	if err != nil {
		return datasetArgument{}, err
	}
	return datasetArgument{filepath.Base(absolute), text}, nil
}

func isPath(text string) bool {
	return text == "." || text == ".." || strings.ContainsRune(text, filepath.Separator)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// selection is which pictures of a dataset are used.
type selection struct {
	classes []string
	limit   int
}

func (s *selection) register(flags *pflag.FlagSet) {
	flags.StringSliceVar(&s.classes, "classes", nil, "only these classes of the dataset, as in `a,b`")
	flags.IntVar(&s.limit, "limit", 0, "at most `N` pictures of the dataset, spread over classes and labels (default all)")
}

func (s *selection) check() error {
	if s.limit < 0 {
		return usagef("--limit %d: it must be at least 1, or 0 for all", s.limit)
	}
	return nil
}

// discover finds a dataset of the configuration and selects from it.
func (a *app) discover(ctx context.Context, c config.Config, name string, s selection) (*data.Dataset, error) {
	options := data.DiscoverOptions{Domain: c.Data.Roots[name].Domain}
	if c.Data.Names != "" {
		names, err := data.LoadNames(c.Data.Names)
		if err != nil {
			return nil, err
		}
		options.Names = names
	}
	set, err := data.Discover(ctx, name, c.Data.Roots[name].Path, options)
	if err != nil {
		return nil, err
	}
	for _, warning := range set.Warnings {
		a.emit(report.Warning{Text: name + ": " + warning})
	}
	// A class given twice is one class.
	return set.Select(slices.Compact(slices.Sorted(slices.Values(s.classes))), s.limit)
}

// promptNames are the distinct names by which the prompts call the dataset's classes, sorted.
func promptNames(set *data.Dataset) []string {
	var names []string
	for _, class := range set.Classes {
		names = append(names, class.Prompt)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
