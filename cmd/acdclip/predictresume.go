package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"acdclip/internal/rundir"
	"acdclip/pkg/conditions"
	"acdclip/pkg/events"
	"acdclip/pkg/intake"
	"acdclip/pkg/report"
)

// errOtherConditions reports predictions that were made under other conditions.
var errOtherConditions = errors.New("the predictions there were made under other conditions")

// sameConditions returns errOtherConditions, with what differs, for runs whose rows do not belong together.
func sameConditions(before, now *report.PredictionRun) error {
	matter := []conditions.Weight{conditions.Numbers, conditions.Extras}
	if err := before.Conditions.Only(matter...).Compare(now.Conditions.Only(matter...)); err != nil {
		return fmt.Errorf("%w: %w", errOtherConditions, err)
	}
	return nil
}

// resume reads the rows of the runs before, where --resume is given and there are any, and
// opens their file to append to it. It refuses rows that were made under other conditions.
func (p *predictions) resume() (bool, error) {
	o, folder := p.options, p.held.Dir()
	if !o.resume {
		return false, nil
	}
	before, err := folder.ReadRun()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("resuming: %w", err)
	}
	if err := sameConditions(before, p.run); err != nil {
		return false, fmt.Errorf("%s: %w; use the original settings, --overwrite to start again, or another --out", o.out, err)
	}
	if err := before.Conditions.Only(conditions.Bits).Compare(p.run.Conditions.Only(conditions.Bits)); err != nil {
		o.app.emit(events.Notice{Text: fmt.Sprintf("the rows before may differ in their last digits: %v", err)})
	}
	header, pictures, err := folder.ReadPredictions(o.format.Rows(), o.rawScores)
	if err != nil {
		return false, fmt.Errorf("resuming: %w; --overwrite starts again", err)
	}
	if header == nil && pictures == nil {
		return true, nil // stopped before the first row
	}
	for _, picture := range pictures {
		p.known[absolutePath(picture.Path)] = knownRow{picture.File, picture.Failed, picture.Anomalous, true}
		for _, output := range picture.Outputs {
			p.outputs[output] = absolutePath(picture.Path)
		}
	}
	return true, p.rewrite(header, pictures)
}

// rewrite replaces the file of rows by the rows of pictures, and opens it to append to it.
func (p *predictions) rewrite(header []byte, pictures []report.PredictedPicture) error {
	name := rundir.PredictionsFile(p.options.format.Rows())
	err := p.held.Write(name, func(w io.Writer) error {
		if _, err := w.Write(header); err != nil {
			return err
		}
		for _, picture := range pictures {
			if _, err := w.Write(picture.Line); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if p.file != nil {
		if err := p.file.Close(); err != nil {
			return err
		}
	}
	p.path = filepath.Join(p.options.out, name)
	if p.file, err = os.OpenFile(p.path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return fmt.Errorf("opening the predictions file: %w", err)
	}
	p.writer, err = report.ContinuePredictions(p.file, p.options.format.Rows(), p.options.rawScores)
	return err
}

// unscored returns the inputs without a row, and removes the rows of files that have
// changed since. Two pictures of different runs whose outputs would have one name are an error.
func (p *predictions) unscored(inputs []intake.Picture) ([]intake.Picture, error) {
	var list []intake.Picture
	changed := map[string]bool{} // by absolute paths
	for _, input := range inputs {
		path := absolutePath(input.Path)
		row, scored := p.known[path]
		if scored && row.file == input.Mark {
			continue
		}
		for _, output := range p.options.outputsOf(input.Found) {
			if owner, taken := p.outputs[output]; taken && owner != path {
				return nil, usagef("%s would replace that of %s; give the same folders as before, or another --out", filepath.Join(p.options.out, output), owner)
			}
		}
		if scored {
			changed[path] = true
		}
		list = append(list, input)
	}
	if len(changed) == 0 {
		return list, nil
	}
	for path := range changed {
		delete(p.known, path)
	}
	if p.held == nil { // rows on stdout stay
		return list, nil
	}
	header, pictures, err := p.held.Dir().ReadPredictions(p.options.format.Rows(), p.options.rawScores)
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(pictures, func(picture report.PredictedPicture) bool { return changed[absolutePath(picture.Path)] })
	return list, p.rewrite(header, kept)
}
