package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"acdclip/internal/rundir"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/metrics"
)

// mergeFlags are those that mean something beside --merge.
var mergeFlags = []string{"merge", "out", "overwrite", "format", "metrics-memory", "log", "quiet", "verbose"}

func (o *evalOptions) checkMerge() error {
	var others []string
	o.given.Visit(func(f *pflag.Flag) {
		if !slices.Contains(mergeFlags, f.Name) {
			others = append(others, "--"+f.Name)
		}
	})
	if others != nil {
		return usagef("--merge joins finished shares and cannot be combined with %s", strings.Join(others, ", "))
	}
	if o.merge == "" {
		return usagef("--merge is empty")
	}
	if !o.given.Changed("out") {
		o.out = o.merge
	}
	return nil
}

// runMerge joins the shares of a folder.
func (o *evalOptions) runMerge(ctx context.Context) error {
	o.app.screen.Use(o.config.display)
	folder := rundir.NewEvaluation(o.out, finished.Share{}, o.overwrite, false)
	if err := o.checkMerged(folder); err != nil {
		return err
	}
	if err := folder.Dir.Probe(); err != nil { // rather now than after all pixels are read
		return err
	}
	release, err := rundir.HoldShares(o.merge)
	if err != nil {
		return err
	}
	defer release()
	result, scores, err := evaluation.Merge(ctx, o.merge, metrics.Options{Memory: o.metricsMemory << 20}, o.app.emit)
	if err != nil {
		return err
	}
	if err := folder.Hold(); err != nil {
		return err
	}
	defer folder.Close()
	if err := o.checkMerged(folder); err != nil { // another program may have come and gone since
		return err
	}
	if o.overwrite {
		if err := folder.Clear(); err != nil {
			return err
		}
	}
	return o.write(folder, result, scores)
}

// checkMerged refuses a folder for the results. They may lie beside the shares.
func (o *evalOptions) checkMerged(results *rundir.Evaluation) error {
	if !sameFolder(o.out, o.merge) {
		return results.Dir.Check(o.overwrite)
	}
	return results.CheckBesideShares()
}
