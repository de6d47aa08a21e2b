package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/report"
	"acdclip/pkg/shard"
)

// The folders that eval puts into its results folder.
const (
	unfinishedTree = "unfinished" // the classes that are finished, until all are
	mapTree        = "maps"
	trueMaskTree   = "masks"
)

// evalFolder is the folder of an evaluation.
type evalFolder struct {
	results   outputFolder
	finished  outputFolder // of the classes that are finished
	share     bool         // finished is what is asked for
	overwrite bool
	resume    bool
	kept      *shard.Folder // finished, once it is open
}

// resultFiles are the files that an evaluation ends in.
func resultFiles(path string) outputFolder {
	return outputFolder{path: path, kind: "results folder", files: fileNames(`results\.json`, `results\.csv`, `scores\.csv`, `gates\.csv`)}
}

func (o *evalOptions) folder() *evalFolder {
	f := &evalFolder{results: resultFiles(o.out), share: !o.share.IsWhole(), overwrite: o.overwrite, resume: o.resume}
	f.results.trees = []outputTree{
		{unfinishedTree, []string{".json"}}, {mapTree, []string{".npy", ".png"}}, {trueMaskTree, []string{".png"}}, {gatesTree, []string{".png"}},
	}
	name := unfinishedTree
	if f.share {
		name = o.share.Folder()
	}
	f.finished = outputFolder{
		path: filepath.Join(o.out, name), kind: "folder of a share",
		files: fileNames(`plan\.json`, `[0-9a-f]{24}\.json`, `[0-9a-f]{24}\.pixels`),
	}
	return f
}

// check refuses a folder that cannot be written or must not be. It changes nothing.
func (f *evalFolder) check() error {
	if f.results.path == "" {
		return usagef("--out is empty")
	}
	written := f.results
	if f.share {
		written = f.finished // others lie beside it
	}
	begun := false
	if f.resume {
		_, err := os.Stat(f.finished.path)
		begun = err == nil
	}
	err := written.check(f.overwrite)
	if begun || err == nil {
		return f.results.probe()
	}
	if f.resume && errors.Is(err, errNotEmpty) {
		return usagef("%s holds no evaluation that was stopped, and is not empty: --resume has nothing to go on with; give another folder with --out, or --overwrite to begin again", written.path)
	}
	return err
}

// open opens the folder of finished classes, after all that is to be replaced is gone.
func (f *evalFolder) open(plan shard.Plan) (*shard.Folder, error) {
	if !f.resume {
		written := f.results
		if f.share {
			written = f.finished
		}
		if err := written.create(); err != nil {
			return nil, err
		}
	}
	folder, err := shard.Create(f.finished.path, plan)
	if errors.Is(err, shard.ErrDiffers) {
		return nil, fmt.Errorf("%w; run it as it was begun, or --overwrite to begin again", err)
	}
	if err != nil {
		return nil, err
	}
	f.kept = folder
	return folder, nil
}

// save writes the three files of results; what was kept to go on with is then of no more use.
func (f *evalFolder) save(result *report.Evaluation, scores []report.Score) error {
	if err := os.MkdirAll(f.results.path, 0o755); err != nil {
		return fmt.Errorf("creating the results folder: %w", err)
	}
	if err := f.writeGates(result, scores); err != nil {
		return err
	}
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"scores.csv", func(w io.Writer) error { return report.WriteScoresCSV(w, scores) }},
		{"results.csv", result.WriteCSV},
		{"results.json", result.WriteJSON},
	} {
		if err := atomicfile.Write(filepath.Join(f.results.path, file.name), file.write); err != nil {
			return err
		}
	}
	if f.kept == nil {
		return nil
	}
	return f.kept.Remove()
}

// saved says what an evaluation that did not end leaves, and how to go on.
func (f *evalFolder) saved(a *app) string {
	if f.kept == nil {
		return ""
	}
	entries, err := os.ReadDir(f.finished.path)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	classes := 0
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".json" && entry.Name() != "plan.json" {
			classes++
		}
	}
	return fmt.Sprintf("%s kept in %s; to go on: %s", counted(classes, "finished class is", "finished classes are"), f.finished.path, a.resuming())
}
