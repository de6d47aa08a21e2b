package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/engine"
	"acdclip/pkg/report"
	"acdclip/pkg/shard"
)

// The folders that eval puts into its results folder.
const (
	unfinishedTree = "unfinished" // the classes that are finished, until all are
	mapTree        = "maps"
	trueMaskTree   = "masks"

	resultsFile = "results.json"
	lockName    = "plan.lock"
)

// evalFolder is the folder of an evaluation.
type evalFolder struct {
	results   outputFolder
	finished  outputFolder // of the classes that are finished
	share     bool         // finished is what is asked for
	overwrite bool
	resume    bool
	kept      *shard.Folder // finished, once it is open
	lock      *os.File      // held while it is
}

// resultFiles are the files that an evaluation ends in, and its folders on the way.
func resultFiles(path string) outputFolder {
	return outputFolder{
		path: path, kind: "results folder", files: fileNames(`results\.json`, `results\.csv`, `scores\.csv`, `gates\.csv`),
		trees: []outputTree{
			{unfinishedTree, []string{".json", ".lock"}}, {mapTree, []string{".npy", ".png"}}, {trueMaskTree, []string{".png"}}, {gatesTree, []string{".png"}},
		},
	}
}

func (o *evalOptions) folder() *evalFolder {
	f := &evalFolder{results: resultFiles(o.out), share: !o.share.IsWhole(), overwrite: o.overwrite, resume: o.resume}
	name := unfinishedTree
	if f.share {
		name = o.share.Folder()
	}
	f.finished = outputFolder{
		path: filepath.Join(o.out, name), kind: "folder of a share",
		files: fileNames(`plan\.json`, `[0-9a-f]{24}\.json`, `[0-9a-f]{24}\.pixels`, `plan\.lock`),
	}
	return f
}

// check refuses a folder that cannot be written or must not be. It changes nothing.
func (f *evalFolder) check() error {
	written := f.written()
	written.resumable = exists(f.finished.path) || f.hasResults()
	if !(f.resume && written.resumable) {
		if err := written.check(f.overwrite); err != nil {
			return err
		}
	}
	return f.results.probe()
}

// written is what is replaced by an evaluation that begins.
func (f *evalFolder) written() outputFolder {
	if f.share {
		return f.finished // others lie beside it
	}
	return f.results
}

func (f *evalFolder) hasResults() bool {
	return !f.share && exists(filepath.Join(f.results.path, resultsFile))
}

// isFinished says that there is nothing to go on with, but results.
func (f *evalFolder) isFinished() bool {
	return f.resume && !exists(f.finished.path) && f.hasResults()
}

// showFinished prints the results that are there, if they are those that are asked for.
func (o *evalOptions) showFinished(folder *evalFolder, asked engine.EvaluateOptions) error {
	path := filepath.Join(folder.results.path, resultsFile)
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the results that are there: %w", err)
	}
	var found report.Evaluation
	if err := json.Unmarshal(content, &found); err != nil {
		return fmt.Errorf("%s is damaged: %w", path, err)
	}
	if err := engine.CheckFinished(&found, asked); err != nil {
		return fmt.Errorf("%s holds the results of another evaluation: %w; give another folder with --out, or --overwrite to replace them", folder.results.path, err)
	}
	for _, part := range []struct {
		asked      bool
		flag, name string
	}{{o.gates, "--gates", gatesFile}, {o.maps != "", "--save-maps", mapTree}} {
		if part.asked && !exists(filepath.Join(folder.results.path, part.name)) {
			return usagef("%s holds the results of an evaluation without %s; give another folder with --out, or --overwrite to replace them", folder.results.path, part.flag)
		}
	}
	o.app.emit(report.Notice{Text: fmt.Sprintf("the evaluation in %s is finished; --overwrite begins again", folder.results.path)})
	if err := found.Write(o.app.out, o.format); err != nil {
		return err
	}
	failed, total := found.Failed()
	return failures(failed, total)
}

// open opens the folder of finished classes, after all that is to be replaced is gone.
func (f *evalFolder) open(plan shard.Plan) (*shard.Folder, error) {
	if err := f.takeLock(); err != nil {
		return nil, err
	}
	if !f.resume {
		if err := f.written().create(); err != nil {
			return nil, err
		}
		f.close() // the file that was locked is gone with the others
		if err := f.takeLock(); err != nil {
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

// takeLock keeps a second program out of the folder, until close.
func (f *evalFolder) takeLock() error {
	if err := os.MkdirAll(f.finished.path, 0o755); err != nil {
		return fmt.Errorf("creating the folder of finished classes: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(f.finished.path, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("locking %s: %w", f.finished.path, err)
	}
	if err := lockFile(file); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", f.finished.path, err), file.Close())
	}
	f.lock = file
	return nil
}

// close lets others use the folder.
func (f *evalFolder) close() {
	if f.lock != nil {
		_ = f.lock.Close() // nothing was written to it
		f.lock = nil
	}
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
		{resultsFile, result.WriteJSON},
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
	classes, err := f.kept.Classes()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s kept in %s; to go on: %s", counted(classes, "finished class is", "finished classes are"), f.finished.path, a.resuming())
}
