package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"acdclip/internal/ui"
	"acdclip/pkg/config"
	"acdclip/pkg/contents"
	"acdclip/pkg/data"
	"acdclip/pkg/events"
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
			return datasetArgument{}, usagef("%s %q: must be NAME, NAME=PATH or PATH", flag, text)
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

// selection is which pictures of a dataset are used.
type selection struct {
	classes []string
	limit   int
}

func (s *selection) register(flags *pflag.FlagSet) {
	flags.StringSliceVar(&s.classes, "classes", nil, "`A,B` use only these classes")
	flags.IntVar(&s.limit, "limit", 0, "`N` use at most so many pictures, spread over classes and labels (default all)")
}

func (s *selection) check() error {
	if s.limit < 0 {
		return usagef("--limit %d: must be at least 1, or 0 for all", s.limit)
	}
	return nil
}

// find finds a dataset of the configuration, whatever is wrong with it.
func (a *app) find(ctx context.Context, c config.Config, name string) (*data.Dataset, error) {
	var names *data.Names
	if c.Data.Names != "" {
		var err error
		if names, err = data.LoadNames(c.Data.Names); err != nil {
			return nil, err
		}
	}
	return data.Discover(ctx, name, c.Data.Roots[name], names)
}

// discover is choose, and says what prompts will call the pictures where no folder names them.
func (a *app) discover(ctx context.Context, c config.Config, name string, s selection) (*data.Dataset, error) {
	set, err := a.choose(ctx, c, name, s)
	if err != nil {
		return nil, err
	}
	if set.Benchmark == nil && len(set.Classes) == 1 && set.Classes[0].Name == set.Name {
		a.emit(events.Notice{Text: fmt.Sprintf("%s: the prompts will call its pictures %q; NAME=PATH sets another name", name, set.PromptOf(c.Model, set.Classes[0]))})
	}
	return set, nil
}

// choose finds a dataset that can be used, says what is odd about it, and selects from it.
func (a *app) choose(ctx context.Context, c config.Config, name string, s selection) (*data.Dataset, error) {
	set, err := a.find(ctx, c, name)
	if err != nil {
		return nil, err
	}
	if c.Data.SkipBad {
		set = set.WithoutMissing()
	}
	if err := set.Usable(); err != nil {
		return nil, err
	}
	for _, summary := range data.Summarize(set.Findings) {
		text := name + ": " + summary.String()
		if summary.Level == data.Info {
			a.emit(events.Notice{Text: text})
		} else {
			a.emit(events.Warning{Text: text})
		}
	}
	// A class given twice is one class.
	return set.Select(slices.Compact(slices.Sorted(slices.Values(s.classes))), s.limit)
}

// contentsToTrainOn hashes the pictures of the dataset that set was selected
// from, for what tells leaks. The digest names their contents and those of set's
// masks, in their order.
func (a *app) contentsToTrainOn(ctx context.Context, set *data.Dataset) (files contents.Set, digest string, err error) {
	pictures := set.Whole().PictureFiles()
	sums, err := a.sums(ctx, set, slices.Concat(pictures, set.MaskFiles()))
	if err != nil {
		return contents.Set{}, "", err
	}
	return contents.NewSet(sums[:len(pictures)]), contents.Digest(sums), nil
}

// contentsToScore names the contents of a dataset's pictures and masks, in their order.
func (a *app) contentsToScore(ctx context.Context, set *data.Dataset) (string, error) {
	sums, err := a.sums(ctx, set, slices.Concat(set.PictureFiles(), set.MaskFiles()))
	return contents.Digest(sums), err
}

// sums hashes files of a dataset; what was hashed before and has not changed is not read.
func (a *app) sums(ctx context.Context, set *data.Dataset, paths []string) ([]contents.Sum, error) {
	reading := ui.NewCounter(a.emit, "hash the files of "+set.Name, "files")
	hasher := contents.Hasher{Cache: contents.DefaultCache(), Progress: func(done int) { reading.Progress(done, len(paths)) }}
	sums, err := hasher.Sums(ctx, set.Root, paths)
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", set.Name, err)
	}
	reading.Done()
	return sums, nil
}
