package main

import (
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"acdclip/internal/rundir"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/events"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/plural"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// The folders of output pictures.
const (
	heatmapTree = "heatmaps"
	maskTree    = "masks"
)

// predictions writes what is found: the rows in the order of add's calls, each
// after the pictures that are drawn for it.
type predictions struct {
	options *predictOptions
	held    *rundir.Held // nil for stdout
	path    string       // of the file of rows; "" for stdout
	file    *os.File     // nil for stdout
	decode  picture.DecodeOptions
	scale   heatmap.Scale
	writer  report.PredictionWriter
	drawing *drawings // nil where nothing is drawn

	rows, failed, anomalous int
}

// openPredictions makes the output folder and begins the file of rows, or begins on stdout.
func openPredictions(o *predictOptions, folder rundir.Dir, decode picture.DecodeOptions, scale heatmap.Scale) (*predictions, error) {
	p := &predictions{options: o, decode: decode, scale: scale}
	var err error
	if o.out == standardOut {
		p.writer, err = report.NewPredictionWriter(o.app.out, o.format, o.rawScores)
		return p, err
	}
	if p.held, err = folder.Hold(); err != nil {
		return nil, err
	}
	if err := p.begin(); err != nil {
		return nil, errors.Join(err, p.held.Close())
	}
	if o.heatmaps || o.masks {
		p.drawing = newDrawings(p.finish)
	}
	return p, nil
}

// begin clears the folder, which this program holds, and begins its files.
func (p *predictions) begin() error {
	o := p.options
	if err := p.held.Dir().Check(o.overwrite); err != nil { // another program may have come and gone since the first look
		return err
	}
	if err := p.held.Clear(func(string) bool { return false }); err != nil {
		return err
	}
	if o.heatmaps {
		if err := p.picture(filepath.Join(heatmapTree, "colorbar.png"), heatmap.ColorBar(p.scale)); err != nil {
			return err
		}
	}
	name := "predictions." + string(o.format)
	if err := p.held.Own(name); err != nil {
		return err
	}
	p.path = filepath.Join(o.out, name)
	var err error
	if p.file, err = os.Create(p.path); err != nil {
		return fmt.Errorf("creating the predictions file: %w", err)
	}
	if p.writer, err = report.NewPredictionWriter(p.file, o.format, o.rawScores); err != nil {
		return errors.Join(err, p.file.Close())
	}
	return nil
}

// add takes one picture's result. Where pictures are drawn for it, that and its
// row come beside the scoring of the next ones, and the error may be of an
// earlier one.
func (p *predictions) add(input data.Found, scored scoring.Scored) error {
	o := p.options
	row := &pendingRow{
		Prediction: report.Prediction{Path: input.Path, Threshold: o.threshold, Width: scored.Picture.Width, Height: scored.Picture.Height},
		failed:     scored.Err,
	}
	if scored.Err == nil {
		row.Score, row.MapMax, row.RawMapMax, row.ClassProbability = scored.Score, scored.MapMax, scored.RawMapMax, scored.ClassProbability
		if o.threshold != nil {
			row.Anomalous = new(scored.Score >= *o.threshold)
		}
	}
	switch {
	case p.drawing == nil:
		return p.finish(row)
	case row.failed != nil:
		return p.drawing.add(row, 0, nil)
	}
	return p.drawing.add(row, int64(row.Width)*int64(row.Height), func() error { return p.pictures(input, scored, row) })
}

// finish writes a row whose pictures are drawn.
func (p *predictions) finish(row *pendingRow) error {
	if row.failed != nil {
		row.Error = strings.TrimPrefix(row.failed.Error(), row.Path+": ")
		row.Heatmap, row.Mask = "", ""
		p.options.app.emit(events.Warning{Text: row.Path + ": " + row.Error})
	}
	row.Path, row.Heatmap, row.Mask = report.EscapeName(row.Path), report.EscapeName(row.Heatmap), report.EscapeName(row.Mask)
	if err := p.writer.Write(row.Prediction); err != nil {
		return err
	}
	p.rows++
	switch {
	case row.failed != nil:
		p.failed++
	case row.Anomalous != nil && *row.Anomalous:
		p.anomalous++
	}
	return nil
}

// pictures draws the heat map and the mask of one picture and notes them in its
// row, as it does what is this picture's own trouble. An error ends the work.
func (p *predictions) pictures(input data.Found, scored scoring.Scored, row *pendingRow) error {
	err := p.heatmap(input, scored, row)
	if err == nil {
		err = p.mask(input, scored, row)
	}
	if errors.Is(err, syscall.ENAMETOOLONG) || errors.As(err, new(changedPicture)) {
		row.failed, err = err, nil
	}
	return err
}

func (p *predictions) heatmap(input data.Found, scored scoring.Scored, row *pendingRow) error {
	if !p.options.heatmaps {
		return nil
	}
	// Decoded once more: pictures kept from the first time, for a whole batch and
	// those read ahead, would take many times the memory.
	decoded, err := picture.Decode(input.Path, p.decode)
	if err != nil {
		return changedPicture{err}
	}
	overlay, err := heatmap.Overlay(scored.Map, p.scale, decoded.Pix, decoded.Width, decoded.Height)
	if err != nil {
		return fmt.Errorf("%s: %w", input.Path, err)
	}
	row.Heatmap = filepath.Join(heatmapTree, input.Rel+".png")
	return p.picture(row.Heatmap, overlay)
}

func (p *predictions) mask(input data.Found, scored scoring.Scored, row *pendingRow) error {
	if !p.options.masks {
		return nil
	}
	mask, err := heatmap.Mask(scored.Map, *p.options.pixelThreshold, row.Width, row.Height)
	if err != nil {
		return fmt.Errorf("%s: %w", input.Path, err)
	}
	row.Mask = filepath.Join(maskTree, input.Rel+".png")
	return p.picture(row.Mask, mask)
}

// changedPicture is a picture that could be read for its score and no longer for its heat map.
type changedPicture struct{ error }

// picture writes a PNG at a path below the output folder.
func (p *predictions) picture(path string, picture image.Image) error {
	return p.held.WriteQuickly(path, func(w io.Writer) error { return heatmap.EncodePNG(w, picture) })
}

// close ends the rows. Those that were written stay, whatever happened. A file of
// rows that is no longer where it was written is an error.
func (p *predictions) close() error {
	var errs []error
	if p.drawing != nil {
		errs = append(errs, p.drawing.close())
	}
	errs = append(errs, p.writer.Close())
	if p.file != nil {
		errs = append(errs, rundir.StillAt(p.path, p.file), p.held.Complete(), p.file.Close(), p.held.Close())
	}
	return errors.Join(errs...)
}

// summary says what was done and where it is.
func (p *predictions) summary() string {
	text := plural.Of(p.rows-p.failed, "picture", "pictures") + " scored"
	if p.options.threshold != nil {
		text += fmt.Sprintf(", %d of them anomalous (score at least %v)", p.anomalous, *p.options.threshold)
	}
	if p.failed > 0 {
		text += fmt.Sprintf(", %d failed", p.failed)
	}
	if p.file == nil {
		return text
	}
	text += "; see " + p.path
	for _, tree := range []struct {
		written bool
		name    string
	}{{p.options.heatmaps, heatmapTree}, {p.options.masks, maskTree}} {
		if tree.written {
			text += " and " + filepath.Join(p.options.out, tree.name)
		}
	}
	return text
}

// saved says what is left when not all were scored, and how to go on.
func (p *predictions) saved(total int) string {
	if p.file == nil {
		return fmt.Sprintf("%d of %d rows were written", p.rows, total)
	}
	return fmt.Sprintf("%s has %d of %d rows; --overwrite starts again", p.path, p.rows, total)
}
