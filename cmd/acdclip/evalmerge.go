package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"acdclip/pkg/engine"
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
		return usagef("--merge joins shares that were computed before: these have no use beside it: %s", strings.Join(others, ", "))
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
	o.app.display(o.config.displayFlags)
	folder := &evalFolder{results: resultFiles(o.out)}
	if err := o.checkMerged(folder.results); err != nil {
		return err
	}
	result, scores, err := engine.Merge(ctx, o.merge, metrics.Options{Memory: o.metricsMemory << 20}, o.app.emit)
	if err != nil {
		return err
	}
	if o.overwrite {
		// Beside the shares lie the maps that were saved with them.
		beside := sameFolder(o.out, o.merge)
		stale := func(name string) bool { return !beside || name == gatesFile || name == gatesTree }
		if err := folder.results.clear(stale); err != nil {
			return err
		}
	}
	return o.write(folder, result, scores)
}

// checkMerged refuses a folder for the results. They may lie beside the shares.
func (o *evalOptions) checkMerged(results outputFolder) error {
	if !sameFolder(o.out, o.merge) {
		return results.check(o.overwrite)
	}
	if exists(filepath.Join(o.out, resultsFile)) && !o.overwrite {
		return usagef("%s holds results already; give another folder with --out, or --overwrite to replace them", o.out)
	}
	return nil
}
