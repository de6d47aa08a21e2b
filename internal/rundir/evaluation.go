package rundir

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/present"
	"acdclip/pkg/report"
)

// The files and folders that an evaluation writes.
const (
	ResultsFile    = "results.json"
	ResultsCSVFile = "results.csv"
	ScoresFile     = "scores.csv"
	GatesFile      = "gates.csv"
	GatesTree      = "gates"      // charts
	MapTree        = "maps"       // anomaly maps
	TrueMaskTree   = "masks"      // masks of the dataset, at the size of the maps
	unfinishedTree = "unfinished" // the finished classes of an evaluation that is not finished
)

const (
	resultsKind = "results folder"
	shareKind   = "folder of a share"
)

// ErrNoFolder reports an empty path.
var ErrNoFolder = errors.New("--out is empty")

// Evaluation is the results folder of an evaluation, or the folder of one of its shares.
// It manages the files in it.
type Evaluation struct {
	Dir       Dir
	Overwrite bool
	Resume    bool

	held *Held            // set by Open and Hold
	kept *finished.Folder // the finished classes, set by Open
}

// NewEvaluation describes the results folder at a path, or the folder of a share in it.
func NewEvaluation(path string, share finished.Share, overwrite, resume bool) *Evaluation {
	e := &Evaluation{Dir: Dir{Path: path, Kind: resultsKind}, Overwrite: overwrite, Resume: resume}
	if !share.IsWhole() {
		e.Dir.Kind, e.Dir.Part = shareKind, share.Folder()
	}
	return e
}

func (e *Evaluation) isShare() bool { return e.Dir.Part != "" }

// finishedName returns the folder of finished classes, relative to the results folder.
func (e *Evaluation) finishedName() string {
	if e.isShare() {
		return e.Dir.Part
	}
	return unfinishedTree
}

// Finished returns the path of the folder of finished classes.
func (e *Evaluation) Finished() string { return filepath.Join(e.Dir.Path, e.finishedName()) }

// Path returns the path of a file in the folder.
func (e *Evaluation) Path(name string) string { return filepath.Join(e.Dir.Path, name) }

// Check returns an error if the folder cannot or must not be written. It changes nothing.
func (e *Evaluation) Check() error {
	if err := e.checkContent(); err != nil {
		return err
	}
	return e.Dir.Probe()
}

func (e *Evaluation) checkContent() error {
	if e.Dir.Path == "" {
		return ErrNoFolder
	}
	dir := e.Dir
	dir.Resumable = e.isBegun() || e.hasResults()
	if e.Resume && dir.Resumable {
		return nil
	}
	return dir.Check(e.Overwrite)
}

func (e *Evaluation) hasResults() bool { return !e.isShare() && present.Any(e.Path(ResultsFile)) }

// isBegun reports whether the folder has finished classes of a started evaluation.
func (e *Evaluation) isBegun() bool { return finished.IsFolder(e.Finished()) }

// IsFinished reports whether the evaluation to resume is already finished.
func (e *Evaluation) IsFinished() bool { return e.Resume && !e.isBegun() && e.hasResults() }

// Open locks the folder until Close, removes the files to be replaced, and opens the
// finished classes.
func (e *Evaluation) Open(plan finished.Plan) (*finished.Folder, error) {
	if err := e.Hold(); err != nil {
		return nil, err
	}
	if err := e.checkContent(); err != nil { // another program may have written since Check
		return nil, err
	}
	if e.IsFinished() {
		return nil, fmt.Errorf("the %s %s: another acdclip has finished this evaluation in the meantime; run the command again to see its results", e.Dir.Kind, e.Dir.Path)
	}
	if !e.Resume {
		if err := e.Clear(); err != nil {
			return nil, err
		}
	}
	folder, err := finished.Create(e.Finished(), plan, func(name string, write func(io.Writer) error) error {
		return e.held.Write(filepath.Join(e.finishedName(), name), write)
	})
	if errors.Is(err, finished.ErrDiffers) {
		return nil, fmt.Errorf("%w; use the original settings, or --overwrite to start again", err)
	}
	if err != nil {
		return nil, err
	}
	e.kept = folder
	return folder, nil
}

// Hold locks the folder until Close.
func (e *Evaluation) Hold() (err error) {
	e.held, err = e.Dir.Hold()
	return err
}

// Clear removes the files that an evaluation has written. The folder must be locked.
func (e *Evaluation) Clear() error { return e.held.Clear(func(string) bool { return false }) }

// Complete returns an error if a file that was written is missing.
func (e *Evaluation) Complete() error { return e.held.Complete() }

// Close unlocks the folder.
func (e *Evaluation) Close() error { return e.held.Close() }

// Write writes a file; name is its path relative to the folder.
func (e *Evaluation) Write(name string, write func(io.Writer) error) error {
	return e.held.Write(name, write)
}

// WriteQuickly is Write for a drawing.
func (e *Evaluation) WriteQuickly(name string, write func(io.Writer) error) error {
	return e.held.WriteQuickly(name, write)
}

// Save writes the result files and then removes the finished classes, which are no longer
// needed.
func (e *Evaluation) Save(result *report.Evaluation, scores []report.Score) error {
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{ScoresFile, func(w io.Writer) error { return report.WriteScoresCSV(w, scores, result.WantsRaw()) }},
		{ResultsCSVFile, result.WriteCSV},
		{ResultsFile, result.WriteJSON},
	} {
		if err := e.Write(file.name, file.write); err != nil {
			return err
		}
	}
	if e.kept == nil {
		return nil
	}
	return e.held.Clear(func(name string) bool { return !strings.HasPrefix(name, unfinishedTree+string(filepath.Separator)) })
}

// Kept returns the number of finished classes in the folder. Before Open it returns
// ErrNoFolder.
func (e *Evaluation) Kept() (classes int, err error) {
	if e.kept == nil {
		return 0, ErrNoFolder
	}
	return e.kept.Classes()
}

// HoldShares locks all shares in a folder until release is called. A share whose folder
// cannot be written is not locked, since other programs cannot write there either.
func HoldShares(path string) (release func(), err error) {
	names, err := finished.Folders(path)
	if err != nil {
		return nil, err
	}
	var held []*Held
	release = func() {
		for _, share := range held {
			_ = share.Close() // nothing was written
		}
	}
	for _, name := range names {
		share, err := (Dir{Path: path, Kind: shareKind, Part: name}).Hold()
		switch {
		case errors.Is(err, ErrInUse):
			release()
			return nil, err
		case err == nil:
			held = append(held, share)
		}
	}
	return release, nil
}

// CheckBesideShares checks that results can be written into the folder that contains the
// shares. Existing results are an error unless Overwrite is set.
func (e *Evaluation) CheckBesideShares() error {
	if e.hasResults() && !e.Overwrite {
		return occupiedf("%s already holds results; choose another folder with --out, or use --overwrite to replace them", e.Dir.Path)
	}
	for _, name := range []string{ResultsFile, ResultsCSVFile, ScoresFile, GatesFile, GatesTree} {
		if err := e.Dir.CheckFile(name); err != nil {
			return err
		}
	}
	return nil
}
