package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"acdclip/internal/ui"
	"acdclip/pkg/builtin"
	"acdclip/pkg/events"
	"acdclip/pkg/published"
	"acdclip/pkg/report"
)

// weightsListOptions are what `acdclip weights list` was asked for.
type weightsListOptions struct {
	app    *app
	config configFlags
	format inspectFormat
}

func newWeightsListCommand(a *app) *cobra.Command {
	o := &weightsListOptions{app: a, format: inspectTable}
	command := &cobra.Command{
		Use:   "list",
		Short: "List the weights that can be downloaded by name",
		Long: `List the published weights that "acdclip weights fetch" downloads: size, licence, the
methods that they are made for, and where they are if they were downloaded. No
connection is opened.`,
		Args: noArgs,
		RunE: func(command *cobra.Command, _ []string) error { return runWeightsList(command.Context(), o) },
	}
	flags := command.Flags()
	ui.Choice(flags, &o.format, "format", []inspectFormat{inspectTable, inspectJSON}, "output format")
	o.config.registerSources(flags)
	bindWeights(&o.config)
	return command
}

// publishedRow describes an entry for people and programs.
type publishedRow struct {
	Name      string         `json:"name"`
	Kind      published.Kind `json:"kind"`
	MadeFor   []string       `json:"made_for"` // methods
	Note      string         `json:"note,omitempty"`
	Publisher string         `json:"publisher"`
	Page      string         `json:"page"`
	Licence   string         `json:"licence"`
	URL       string         `json:"url"`
	Size      int64          `json:"size"` // of the download in bytes
	Estimated bool           `json:"size_is_estimated,omitempty"`
	SHA256    string         `json:"sha256"` // of the download
	Path      string         `json:"path"`   // where it is kept
	Present   bool           `json:"present"`

	bytes string
}

func runWeightsList(_ context.Context, o *weightsListOptions) error {
	loaded, err := o.app.load(&o.config, nil, true)
	if err != nil {
		return err
	}
	folder, err := published.Folder(loaded.Config.Weights.Cache)
	if err != nil {
		return err
	}
	rows := []publishedRow{}
	for _, e := range o.app.published {
		row := publishedRow{
			Name: e.Name, Kind: e.Kind, MadeFor: append([]string{}, e.For...), Note: e.Note, Publisher: e.Publisher, Page: e.Page, Licence: e.Licence,
			URL: e.URL, Size: e.Size, Estimated: e.About, SHA256: e.SHA256, Path: e.Path(folder), bytes: e.Bytes(),
		}
		info, err := os.Stat(row.Path)
		row.Present = err == nil && info.Mode().IsRegular()
		rows = append(rows, row)
	}
	if o.format == inspectJSON {
		return report.WriteIndented(o.app.out, rows)
	}
	o.app.emit(events.Notice{Text: builtin.Tiny + " needs no download: it is part of this program"})
	table := tabwriter.NewWriter(o.app.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "name\tkind\tsize\tlicence\tmade for\tdownloaded to")
	for _, row := range rows {
		to := "-"
		if row.Present {
			to = ui.Visible(row.Path)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", row.Name, row.Kind, row.bytes, row.Licence, cmp.Or(strings.Join(row.MadeFor, ", "), "-"), to)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	o.app.emit(events.Notice{Text: "the folder of downloads is " + folder})
	return nil
}
