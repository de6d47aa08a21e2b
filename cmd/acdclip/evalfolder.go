package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"acdclip/internal/rundir"
	"acdclip/pkg/engine"
	"acdclip/pkg/events"
	"acdclip/pkg/plural"
	"acdclip/pkg/present"
	"acdclip/pkg/report"
	"acdclip/pkg/shard"
)

// The folders that eval puts into its results folder.
const (
	unfinishedTree = "unfinished" // the classes that are finished, until all are
	mapTree        = "maps"
	trueMaskTree   = "masks"
)

const shareKind = "folder of a share"

// The files that an evaluation ends in.
const (
	resultsFile    = "results.json"
	resultsCSVFile = "results.csv"
	scoresFile     = "scores.csv"
)

// evalFolder is the folder of an evaluation.
type evalFolder struct {
	dir       rundir.Dir
	overwrite bool
	resume    bool
	held      *rundir.Held  // from open on
	kept      *shard.Folder // the finished classes, from open on
}

func (o *evalOptions) folder() *evalFolder {
	f := &evalFolder{dir: rundir.Dir{Path: o.out, Kind: "results folder"}, overwrite: o.overwrite, resume: o.resume}
	if !o.share.IsWhole() {
		f.dir.Kind, f.dir.Part = shareKind, o.share.Folder()
	}
	return f
}

// isShare says that one share of an evaluation is asked for.
func (f *evalFolder) isShare() bool { return f.dir.Part != "" }

// finishedName is the folder of finished classes, by its path inside the results folder.
func (f *evalFolder) finishedName() string {
	if f.isShare() {
		return f.dir.Part
	}
	return unfinishedTree
}

func (f *evalFolder) finished() string { return filepath.Join(f.dir.Path, f.finishedName()) }

// check refuses a folder that cannot be written or must not be. It changes nothing.
func (f *evalFolder) check() error {
	if err := f.checkContent(); err != nil {
		return err
	}
	return f.dir.Probe()
}

func (f *evalFolder) checkContent() error {
	if f.dir.Path == "" {
		return usagef("--out is empty")
	}
	dir := f.dir
	dir.Resumable = f.isBegun() || f.hasResults()
	if f.resume && dir.Resumable {
		return nil
	}
	return dir.Check(f.overwrite)
}

func (f *evalFolder) hasResults() bool {
	return !f.isShare() && present.Any(filepath.Join(f.dir.Path, resultsFile))
}

// isBegun says that finished classes are kept.
func (f *evalFolder) isBegun() bool { return shard.IsFolder(f.finished()) }

// isFinished says that there is nothing to go on with, but results.
func (f *evalFolder) isFinished() bool {
	return f.resume && !f.isBegun() && f.hasResults()
}

// showFinished prints the results that are there, if they are those that are asked for.
func (o *evalOptions) showFinished(folder *evalFolder, asked engine.EvaluateOptions) error {
	path := filepath.Join(folder.dir.Path, resultsFile)
	found, err := report.ReadEvaluation(path)
	if err != nil {
		return fmt.Errorf("%w; give another folder with --out", err)
	}
	if err := engine.CheckFinished(found, asked); err != nil {
		return fmt.Errorf("%s holds results that are not those asked for: %w; give another folder with --out, or --overwrite to replace them", folder.dir.Path, err)
	}
	if err := folder.dir.Complete(); err != nil {
		return usagef("the evaluation in %s is not whole any more: %w; give another folder with --out, or --overwrite to begin again", folder.dir.Path, err)
	}
	o.app.emit(events.Notice{Text: fmt.Sprintf("the evaluation in %s is finished; --overwrite begins again", folder.dir.Path)})
	if err := found.Write(o.app.out, o.format); err != nil {
		return err
	}
	failed, total := found.Failed()
	return failuresIn(failed, total, filepath.Join(folder.dir.Path, scoresFile)+" names them")
}

// open takes the folder and opens the finished classes in it, after all that is to
// be replaced is gone.
func (f *evalFolder) open(plan shard.Plan) (*shard.Folder, error) {
	if err := f.hold(); err != nil {
		return nil, err
	}
	if err := f.checkContent(); err != nil { // another program may have come and gone since check
		return nil, err
	}
	if f.isFinished() {
		return nil, fmt.Errorf("the %s %s: another acdclip has finished this evaluation meanwhile; run the command again to see its results", f.dir.Kind, f.dir.Path)
	}
	if !f.resume {
		if err := f.held.Clear(func(string) bool { return false }); err != nil {
			return nil, err
		}
	}
	folder, err := shard.Create(f.finished(), plan, func(name string, write func(io.Writer) error) error {
		return f.held.Write(filepath.Join(f.finishedName(), name), write)
	})
	if errors.Is(err, shard.ErrDiffers) {
		return nil, fmt.Errorf("%w; run it as it was begun, or --overwrite to begin again", err)
	}
	if err != nil {
		return nil, err
	}
	f.kept = folder
	return folder, nil
}

// hold takes the folder for this program, until close.
func (f *evalFolder) hold() (err error) {
	f.held, err = f.dir.Hold()
	return err
}

// close lets others use the folder.
func (f *evalFolder) close() error { return f.held.Close() }

// write writes a file of the folder, by its path inside it.
func (f *evalFolder) write(name string, write func(io.Writer) error) error {
	return f.held.Write(name, write)
}

// save writes the files of results; what was kept to go on with is then of no more use.
func (f *evalFolder) save(result *report.Evaluation, scores []report.Score) error {
	if err := f.writeGates(result, scores); err != nil {
		return err
	}
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{scoresFile, func(w io.Writer) error { return report.WriteScoresCSV(w, scores) }},
		{resultsCSVFile, result.WriteCSV},
		{resultsFile, result.WriteJSON},
	} {
		if err := f.write(file.name, file.write); err != nil {
			return err
		}
	}
	if f.kept == nil {
		return nil
	}
	return f.held.Clear(func(name string) bool { return !strings.HasPrefix(name, unfinishedTree+string(filepath.Separator)) })
}

// saved says what an evaluation that did not end leaves, and how to go on.
func (f *evalFolder) saved(a *app) string {
	if f.kept == nil {
		return ""
	}
	classes, err := f.kept.Classes()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s kept in %s; to go on: %s", plural.Of(classes, "finished class is", "finished classes are"), f.finished(), a.resuming())
}
