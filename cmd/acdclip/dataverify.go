package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"acdclip/internal/ui"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/verify"
	"acdclip/pkg/events"
	"acdclip/pkg/plural"
	"acdclip/pkg/report"
)

// verifyOptions are what `acdclip data verify` was asked for.
type verifyOptions struct {
	app       *app
	config    configFlags
	arguments []string
	quick     bool
	strict    bool
	format    report.Format
	out       outputFile
}

func newVerifyCommand(a *app) *cobra.Command {
	o := &verifyOptions{app: a, format: report.FormatTable}
	command := &cobra.Command{
		Use:   "verify [NAME[=PATH]]...",
		Short: "Read every picture and mask of a dataset and report problems",
		Long: `Read every picture and mask of datasets and report problems: missing or unreadable
files, masks without a picture or of another size, empty masks, counts that differ
from the public list, and more. Errors set the exit status to 1; warnings and notes
do not. Without arguments, all datasets of data.roots are verified.`,
		Example: `  acdclip data verify VisA=/data/visa
  acdclip data verify --quick --config my-datasets.yaml
  acdclip data verify MVTec=/data/mvtec --out mvtec.json`,
		RunE: func(command *cobra.Command, arguments []string) error {
			o.arguments = arguments
			return runVerify(command.Context(), o)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&o.quick, "quick", false, "read file headers only: damaged pixels and the content of masks are not checked")
	flags.BoolVar(&o.strict, "strict", false, "treat counts that differ from the public list as errors")
	ui.Choice(flags, &o.format, "format", []report.Format{report.FormatTable, report.FormatJSON}, "output format; json names every file")
	o.out.register(flags, "`FILE` also write the result as JSON into this file")
	o.config.registerSources(flags)
	return command
}

func runVerify(ctx context.Context, o *verifyOptions) error {
	loaded, names, err := o.app.datasets(&o.config, o.arguments)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return usagef("no dataset: give NAME=PATH, or list datasets under data.roots in a configuration file")
	}
	if err := o.out.check(); err != nil { // rather now than after hours
		return err
	}
	var result report.Verification
	for _, name := range names {
		for _, one := range expand(name, loaded.Config.Data.Roots[name]) {
			verified, err := o.verify(ctx, loaded.Config, one)
			if err != nil {
				return err
			}
			result.Datasets = append(result.Datasets, verified)
		}
	}
	if o.out.path != "" {
		if err := o.out.write(func(w io.Writer) error { return result.Write(w, report.FormatJSON) }); err != nil {
			return err
		}
	}
	if err := result.Write(o.app.out, o.format); err != nil {
		return err
	}
	if count := result.Count(string(data.Error)); count > 0 {
		return fmt.Errorf("%s found", plural.Of(count, "error was", "errors were"))
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("no errors, %s", plural.Of(result.Count(string(data.Warning)), "warning", "warnings"))})
	return nil
}

// verify verifies one dataset. What makes it no dataset is a finding as well, so
// that the others go on; an error is ctx's.
func (o *verifyOptions) verify(ctx context.Context, c config.Config, of namedRoot) (report.VerifiedDataset, error) {
	name := of.name
	c.Data.Roots = map[string]config.Root{name: of.root}
	set, err := o.app.find(ctx, c, name)
	if err != nil {
		if ctx.Err() != nil {
			return report.VerifiedDataset{}, err
		}
		code := data.Unlisted
		if errors.Is(err, data.ErrOtherSet) {
			code = data.KnownSubset
		}
		finding := data.NewFinding(code, "", "", err.Error())
		finding.Level = data.Error
		return report.VerifiedDataset{
			Dataset: report.Dataset{Name: name, Path: report.EscapeName(of.root.Path)}, Groups: findingGroups([]data.Finding{finding}),
		}, nil
	}
	reading, load := ui.NewCounter(o.app.emit, "verify "+name, "files"), loadOptions(c)
	found, err := verify.Run(ctx, set, verify.Options{
		Quick: o.quick, Workers: load.Workers, Decode: load.Decode, ImageSize: c.Model.Input().Size,
		Progress: reading.Progress,
	})
	if err != nil {
		return report.VerifiedDataset{}, fmt.Errorf("verifying %s: %w", name, err)
	}
	reading.Done()
	if o.strict {
		for i, finding := range found.Findings {
			if finding.Code == data.CountMismatch {
				found.Findings[i].Level = data.Error
			}
		}
	}
	verified := report.VerifiedDataset{
		Dataset: datasetRow(set), Quick: found.Quick, MaskThreshold: int(found.MaskThreshold), ImageSize: c.Model.Input().Size,
		Pictures: verifiedFiles(found.Pictures), Masks: verifiedFiles(found.Masks), Groups: findingGroups(found.Findings),
	}
	if !found.Quick {
		verified.Masks.Values = map[int]int64{}
		for value, count := range found.Masks.Values {
			if count > 0 {
				verified.Masks.Values[value] = count
			}
		}
	}
	return verified, nil
}

func verifiedFiles(stats verify.FileStats) report.VerifiedFiles {
	return report.VerifiedFiles{Files: stats.Files, Modes: stats.Modes, Smallest: stats.Smallest, Largest: stats.Largest}
}

func findingGroups(findings []data.Finding) []report.FindingGroup {
	groups := []report.FindingGroup{}
	for _, summary := range data.Summarize(findings) {
		group := report.FindingGroup{Level: string(summary.Level), Code: string(summary.Code), Meaning: summary.Meaning, Count: len(summary.Findings)}
		for _, f := range summary.Findings {
			group.Files = append(group.Files, report.Finding{Class: f.Class, Path: report.EscapeName(f.Path), Detail: report.ValidText(f.Detail)})
		}
		groups = append(groups, group)
	}
	return groups
}
