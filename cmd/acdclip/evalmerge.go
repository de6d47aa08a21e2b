package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"acdclip/internal/rundir"
	"acdclip/pkg/engine"
	"acdclip/pkg/metrics"
	"acdclip/pkg/present"
	"acdclip/pkg/shard"
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
	o.app.screen.Use(o.config.display)
	folder := &evalFolder{dir: rundir.Dir{Path: o.out, Kind: "results folder"}}
	if err := o.checkMerged(folder.dir); err != nil {
		return err
	}
	if err := folder.dir.Probe(); err != nil { // rather now than after all pixels are read
		return err
	}
	release, err := holdShares(o.merge)
	if err != nil {
		return err
	}
	defer release()
	result, scores, err := engine.Merge(ctx, o.merge, metrics.Options{Memory: o.metricsMemory << 20}, o.app.emit)
	if err != nil {
		return err
	}
	if err := folder.hold(); err != nil {
		return err
	}
	defer folder.close()
	if err := o.checkMerged(folder.dir); err != nil { // another program may have come and gone since
		return err
	}
	if o.overwrite {
		if err := folder.held.Clear(func(string) bool { return false }); err != nil {
			return err
		}
	}
	return o.write(folder, result, scores)
}

// holdShares keeps other programs out of the shares in a folder, until release is
// called. Where the folder cannot be written, nobody else can either.
func holdShares(path string) (release func(), err error) {
	names, err := shard.Folders(path)
	if err != nil {
		return nil, err
	}
	var held []*rundir.Held
	release = func() {
		for _, share := range held {
			_ = share.Close() // nothing was written
		}
	}
	for _, name := range names {
		share, err := (rundir.Dir{Path: path, Kind: shareKind, Part: name}).Hold()
		switch {
		case errors.Is(err, rundir.ErrInUse):
			release()
			return nil, err
		case err == nil:
			held = append(held, share)
		}
	}
	return release, nil
}

// checkMerged refuses a folder for the results. They may lie beside the shares,
// which are not the results folder's own files.
func (o *evalOptions) checkMerged(results rundir.Dir) error {
	if !sameFolder(o.out, o.merge) {
		return results.Check(o.overwrite)
	}
	if present.Any(filepath.Join(o.out, resultsFile)) && !o.overwrite {
		return usagef("%s holds results already; give another folder with --out, or --overwrite to replace them", o.out)
	}
	for _, name := range []string{resultsFile, resultsCSVFile, scoresFile, gatesFile, gatesTree} {
		if err := results.CheckFile(name); err != nil {
			return err
		}
	}
	return nil
}
