package rundir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/present"
	"acdclip/pkg/regularfile"
	"acdclip/pkg/report"
)

// The files and folders that predict writes.
const (
	RunFile      = "run.json"
	HeatmapTree  = "heatmaps"
	ColorBarFile = "heatmaps/colorbar.png"
	FigureTree   = "figures"
	MaskTree     = "masks"
)

const outputKind = "output folder"

// OutputDir describes the folder at a path that predict writes.
func OutputDir(path string) Dir {
	return Dir{Path: path, Kind: outputKind, Resumable: present.Any(filepath.Join(path, RunFile))}
}

// PredictionsFile is the name of the file of rows.
func PredictionsFile(format report.PredictionFormat) string { return "predictions." + string(format) }

// ReadRun reads what made the predictions in the folder. The error wraps fs.ErrNotExist if
// there are none, or an older version made them.
func (d Dir) ReadRun() (*report.PredictionRun, error) {
	file, _, err := regularfile.Open(filepath.Join(d.Path, RunFile))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	run, err := report.ReadPredictionRun(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	return run, nil
}

// ReadPredictions reads the rows of the folder; a missing file has none.
func (d Dir) ReadPredictions(format report.PredictionFormat, raw bool) (header []byte, pictures []report.PredictedPicture, err error) {
	file, _, err := regularfile.Open(filepath.Join(d.Path, PredictionsFile(format)))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, nil
	case err != nil:
		return nil, nil, err
	}
	defer file.Close()
	if header, pictures, err = report.ReadPredictions(file, format, raw); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	return header, pictures, nil
}

// Outbox returns the path of the folder of the rows that wait to be posted. It is in OwnFolder, so
// --overwrite leaves it. The caller holds the folder, and creates that of the rows.
func (d Dir) Outbox() (string, error) {
	path := d.own(outboxName)
	return path, notLink(path)
}

// WriteRun writes what made the predictions.
func (h *Held) WriteRun(run *report.PredictionRun) error {
	return h.Write(RunFile, func(w io.Writer) error { return run.WriteJSON(w) })
}

// IsOutput reports whether predict or eval wrote the folder at a path, so that its pictures
// are output. It does not look at the folder's parents.
func IsOutput(path string) bool {
	entries, err := os.ReadDir(filepath.Join(path, OwnFolder))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(entries, func(entry fs.DirEntry) bool {
		if entry.Name() != manifestName && !strings.HasSuffix(entry.Name(), "."+manifestName) { // of the folder, or of a part
			return false
		}
		listed, err := readManifest(filepath.Join(path, OwnFolder, entry.Name()))
		return err == nil && slices.Contains([]string{outputKind, resultsKind, shareKind}, listed.kind)
	})
}
