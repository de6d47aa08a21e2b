package main

import (
	"context"
	"maps"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"acdclip/internal/ui"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/events"
	"acdclip/pkg/report"
)

// listOptions are what `acdclip data list` was asked for.
type listOptions struct {
	app       *app
	config    configFlags
	arguments []string
	format    report.Format
}

func newListCommand(a *app) *cobra.Command {
	o := &listOptions{app: a, format: report.FormatTable}
	command := &cobra.Command{
		Use:   "list [NAME[=PATH] | PATH]...",
		Short: "List the benchmarks and your datasets: where they are, how many pictures",
		Long: `List the twelve benchmarks and your own datasets: where each was found, its folder
layout, and whether its counts match the public list. Datasets are taken from
data.roots of the configuration and from the arguments: a dataset, or a folder that
holds several. No picture is opened.`,
		Example: `  acdclip data list /data
  acdclip data list --config configs/pairing.yaml`,
		RunE: func(command *cobra.Command, arguments []string) error {
			o.arguments = arguments
			return runList(command.Context(), o)
		},
	}
	flags := command.Flags()
	ui.Choice(flags, &o.format, "format", report.Formats(), "output format")
	o.config.registerSources(flags)
	return command
}

func runList(ctx context.Context, o *listOptions) error {
	loaded, named, err := o.app.datasets(&o.config, o.arguments)
	if err != nil {
		return err
	}
	var found report.Datasets
	failed := 0
	for _, name := range named {
		for _, one := range expand(name, loaded.Config.Data.Roots[name]) {
			row, err := o.app.lookAt(ctx, loaded.Config, one)
			if err != nil {
				return err
			}
			if row.Error != "" {
				failed++
				o.app.emit(events.Warning{Text: row.Error})
			}
			found.List = append(found.List, row)
		}
	}
	total := len(found.List)
	found.List = withBenchmarks(found.List)
	if err := found.Write(o.app.out, o.format); err != nil {
		return err
	}
	return failures(failed, total)
}

// datasets reads the configuration and gives the names of the datasets that the
// arguments mean: all that are known where there is none.
func (a *app) datasets(c *configFlags, arguments []string) (config.Loaded, []string, error) {
	var given []datasetArgument
	var names []string
	for _, text := range arguments {
		dataset, err := parseDataset("DATASET", text)
		if err != nil {
			return config.Loaded{}, nil, err
		}
		if slices.Contains(names, dataset.name) {
			return config.Loaded{}, nil, usagef("two datasets are named %s; rename one with NAME=PATH", dataset.name)
		}
		given = append(given, dataset)
		names = append(names, dataset.name)
	}
	loaded, err := a.load(c, given, true)
	if err != nil {
		return config.Loaded{}, nil, err
	}
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(loaded.Config.Data.Roots))
	}
	return loaded, names, nil
}

// namedRoot is one dataset to look at.
type namedRoot struct {
	name string
	root config.Root
}

// expand gives a dataset of the configuration, or those in a folder that holds several.
func expand(name string, root config.Root) []namedRoot {
	if _, known := data.FindBenchmark(name); known || root.List != "" || root.Normal != "" || root.Anomalous != "" || root.Masks != "" {
		return []namedRoot{{name, root}}
	}
	var inner []namedRoot
	for _, path := range data.Packed(root.Path) {
		inner = append(inner, namedRoot{filepath.Base(path), config.Root{Path: path}})
	}
	if len(inner) == 0 {
		return []namedRoot{{name, root}}
	}
	return inner
}

// lookAt describes one dataset. What is wrong with it is in the description; an error is ctx's.
func (a *app) lookAt(ctx context.Context, c config.Config, of namedRoot) (report.Dataset, error) {
	name, root := of.name, of.root
	c.Data.Roots = map[string]config.Root{name: root}
	set, err := a.find(ctx, c, name)
	if err != nil {
		if ctx.Err() != nil {
			return report.Dataset{}, err
		}
		row := report.Dataset{Name: name, Path: report.EscapeName(root.Path), Domain: string(root.Domain), Error: err.Error()}
		if benchmark, known := data.FindBenchmark(name); known {
			describe(&row, benchmark)
		}
		return row, nil
	}
	row := datasetRow(set)
	for _, summary := range data.Summarize(set.Findings) {
		row.Findings = append(row.Findings, report.FindingCounts{Level: string(summary.Level), Code: string(summary.Code), Count: len(summary.Findings)})
	}
	return row, nil
}

// datasetRow describes a dataset that was found.
func datasetRow(set *data.Dataset) report.Dataset {
	row := report.Dataset{
		Name: set.Name, Domain: string(set.Domain), Path: report.EscapeName(set.Root), Layout: set.Layout,
		Classes: len(set.Classes), MatchesPublicList: set.MatchesPublicList(),
	}
	row.Normal, row.Anomalous = set.Total()
	if set.Benchmark != nil {
		describe(&row, *set.Benchmark)
	}
	return row
}

// describe adds what is known of a benchmark.
func describe(row *report.Dataset, b data.Benchmark) {
	row.Benchmark = b.Title
	if row.Domain == "" {
		row.Domain = string(b.Domain)
	}
	if !b.Uncounted {
		normal, anomalous := b.Counts()
		row.PublicList = &report.PublicList{Classes: len(b.Classes), Normal: normal, Anomalous: anomalous}
	}
}

// withBenchmarks puts the twelve benchmarks first, also those that were not found, and the other sets behind them.
func withBenchmarks(found []report.Dataset) []report.Dataset {
	var list []report.Dataset
	for _, benchmark := range data.Benchmarks() {
		before := len(list)
		for _, row := range found {
			if row.Benchmark == benchmark.Title {
				list = append(list, row)
			}
		}
		if len(list) == before {
			row := report.Dataset{Name: benchmark.Key}
			describe(&row, benchmark)
			list = append(list, row)
		}
	}
	for _, row := range found {
		if row.Benchmark == "" {
			list = append(list, row)
		}
	}
	return list
}
