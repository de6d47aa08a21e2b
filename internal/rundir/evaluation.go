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

// The files that an evaluation ends in, and the folders beside them.
const (
	ResultsFile    = "results.json"
	ResultsCSVFile = "results.csv"
	ScoresFile     = "scores.csv"
	GatesFile      = "gates.csv"
	GatesTree      = "gates"      // charts
	MapTree        = "maps"       // anomaly maps
	TrueMaskTree   = "masks"      // of the dataset, at the size of the maps
	unfinishedTree = "unfinished" // the classes that are finished, until all are
)

const shareKind = "folder of a share"

// ErrNoFolder reports an empty path.
var ErrNoFolder = errors.New("--out is empty")

// Evaluation is the results folder of an evaluation, or the folder of one share of it:
// the owner of its files.
type Evaluation struct {
	Dir       Dir
	Overwrite bool
	Resume    bool

	held *Held            // from Open or Hold on
	kept *finished.Folder // the finished classes, from Open on
}

// NewEvaluation describes the results folder at a path, or the folder of a share in it.
func NewEvaluation(path string, share finished.Share, overwrite, resume bool) *Evaluation {
	e := &Evaluation{Dir: Dir{Path: path, Kind: "results folder"}, Overwrite: overwrite, Resume: resume}
	if !share.IsWhole() {
		e.Dir.Kind, e.Dir.Part = shareKind, share.Folder()
	}
	return e
}

func (e *Evaluation) isShare() bool { return e.Dir.Part != "" }

// finishedName is the folder of finished classes, by its path inside the results folder.
func (e *Evaluation) finishedName() string {
	if e.isShare() {
		return e.Dir.Part
	}
	return unfinishedTree
}

// Finished is the path of the folder of finished classes.
func (e *Evaluation) Finished() string { return filepath.Join(e.Dir.Path, e.finishedName()) }

// Path is the path of a file of the folder.
func (e *Evaluation) Path(name string) string { return filepath.Join(e.Dir.Path, name) }

// Check refuses a folder that cannot be written or must not be. It changes nothing.
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

// isBegun says that finished classes are kept.
func (e *Evaluation) isBegun() bool { return finished.IsFolder(e.Finished()) }

// IsFinished says that there is nothing to resume, but results.
func (e *Evaluation) IsFinished() bool { return e.Resume && !e.isBegun() && e.hasResults() }

// Open takes the folder for this program, until Close, removes what is to be replaced,
// and opens the finished classes in it.
func (e *Evaluation) Open(plan finished.Plan) (*finished.Folder, error) {
	if err := e.Hold(); err != nil {
		return nil, err
	}
	if err := e.checkContent(); err != nil { // another program may have come and gone since Check
		return nil, err
	}
	if e.IsFinished() {
		return nil, fmt.Errorf("the %s %s: another acdclip has finished this evaluation meanwhile; run the command again to see its results", e.Dir.Kind, e.Dir.Path)
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
		return nil, fmt.Errorf("%w; run it as it was begun, or --overwrite to begin again", err)
	}
	if err != nil {
		return nil, err
	}
	e.kept = folder
	return folder, nil
}

// Hold takes the folder for this program, until Close.
func (e *Evaluation) Hold() (err error) {
	e.held, err = e.Dir.Hold()
	return err
}

// Clear removes the files that an evaluation has written into the folder, which is held.
func (e *Evaluation) Clear() error { return e.held.Clear(func(string) bool { return false }) }

// Complete returns an error where a file that was written is gone.
func (e *Evaluation) Complete() error { return e.held.Complete() }

// Close lets others use the folder.
func (e *Evaluation) Close() error { return e.held.Close() }

// Write writes a file of the folder, by its path inside it.
func (e *Evaluation) Write(name string, write func(io.Writer) error) error {
	return e.held.Write(name, write)
}

// Save writes the files of results; what was kept to resume from is then of no more use.
func (e *Evaluation) Save(result *report.Evaluation, scores []report.Score) error {
	for _, file := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{ScoresFile, func(w io.Writer) error { return report.WriteScoresCSV(w, scores) }},
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

// Kept counts the finished classes that are kept; none before Open.
func (e *Evaluation) Kept() (classes int, err error) {
	if e.kept == nil {
		return 0, ErrNoFolder
	}
	return e.kept.Classes()
}

// HoldShares keeps other programs out of the shares in a folder, until release is
// called. Where the folder cannot be written, nobody else can either.
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

// CheckBesideShares refuses to write results beside the shares in one folder, which are
// not the results folder's own files, where results are there already.
func (e *Evaluation) CheckBesideShares() error {
	if e.hasResults() && !e.Overwrite {
		return occupiedf("%s holds results already; give another folder with --out, or --overwrite to replace them", e.Dir.Path)
	}
	for _, name := range []string{ResultsFile, ResultsCSVFile, ScoresFile, GatesFile, GatesTree} {
		if err := e.Dir.CheckFile(name); err != nil {
			return err
		}
	}
	return nil
}
