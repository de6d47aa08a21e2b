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

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/data"
	"acdclip/pkg/data/picture"
	"acdclip/pkg/engine"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/report"
)

// The folders of output pictures.
const (
	heatmapTree = "heatmaps"
	maskTree    = "masks"
)

// predictions writes what is found, picture by picture.
type predictions struct {
	options *predictOptions
	folder  string   // "" for stdout
	file    *os.File // nil for stdout
	decode  picture.DecodeOptions
	writer  report.PredictionWriter

	rows, failed, anomalous int
}

// openPredictions makes the output folder and begins the file of rows, or begins on stdout.
func openPredictions(o *predictOptions, folder outputFolder, decode picture.DecodeOptions) (*predictions, error) {
	p := &predictions{options: o, decode: decode}
	if o.out == standardOut {
		var err error
		p.writer, err = report.NewPredictionWriter(o.app.out, o.format)
		return p, err
	}
	p.folder = o.out
	if err := folder.create(); err != nil {
		return nil, err
	}
	if o.heatmaps {
		if err := p.picture(filepath.Join(heatmapTree, "colorbar.png"), heatmap.ColorBar()); err != nil {
			return nil, err
		}
	}
	file, err := os.Create(filepath.Join(o.out, "predictions."+string(o.format)))
	if err != nil {
		return nil, fmt.Errorf("creating the file of predictions: %w", err)
	}
	p.file = file
	if p.writer, err = report.NewPredictionWriter(file, o.format); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return p, nil
}

// add writes one picture's outputs, then its row.
func (p *predictions) add(input data.Found, scored engine.Scored) error {
	o := p.options
	row := report.Prediction{Path: input.Path, Threshold: o.threshold, Width: scored.Picture.Width, Height: scored.Picture.Height}
	if scored.Err != nil {
		return p.fail(row, scored.Err)
	}
	row.Score, row.MapMax, row.ClassProbability = scored.Score, scored.MapMax, scored.ClassProbability
	if o.threshold != nil {
		row.Anomalous = new(float64(scored.Score) >= *o.threshold)
	}
	switch err := p.pictures(input, scored, &row); {
	case errors.Is(err, syscall.ENAMETOOLONG), errors.As(err, new(changedPicture)): // this picture's own trouble
		return p.fail(row, err)
	case err != nil:
		return err
	}
	if row.Anomalous != nil && *row.Anomalous {
		p.anomalous++
	}
	return p.write(row)
}

// fail writes the row of a picture that failed.
func (p *predictions) fail(row report.Prediction, err error) error {
	row.Error = strings.TrimPrefix(err.Error(), row.Path+": ")
	row.Heatmap, row.Mask = "", ""
	p.failed++
	p.options.app.emit(report.Warning{Text: row.Path + ": " + row.Error})
	return p.write(row)
}

// pictures writes the heat map and the mask of one picture and notes them in its row.
func (p *predictions) pictures(input data.Found, scored engine.Scored, row *report.Prediction) error {
	if p.folder == "" {
		return nil
	}
	original := scored.Picture
	if p.options.heatmaps {
		// Decoded once more: pictures kept from the first time, for a whole batch and
		// those read ahead, would take many times the memory.
		decoded, err := picture.Decode(input.Path, p.decode)
		if err != nil {
			return changedPicture{err}
		}
		overlay, err := heatmap.Overlay(scored.Map, decoded.Pix, decoded.Width, decoded.Height)
		if err != nil {
			return fmt.Errorf("%s: %w", input.Path, err)
		}
		row.Heatmap = filepath.Join(heatmapTree, input.Rel+".png")
		if err := p.picture(row.Heatmap, overlay); err != nil {
			return err
		}
	}
	if p.options.masks {
		mask, err := heatmap.Mask(scored.Map, float32(*p.options.pixelThreshold), original.Width, original.Height)
		if err != nil {
			return fmt.Errorf("%s: %w", input.Path, err)
		}
		row.Mask = filepath.Join(maskTree, input.Rel+".png")
		return p.picture(row.Mask, mask)
	}
	return nil
}

// changedPicture is a picture that could be read for its score and no longer for its heat map.
type changedPicture struct{ error }

// picture writes a PNG at a path below the output folder.
func (p *predictions) picture(path string, picture image.Image) error {
	path = filepath.Join(p.folder, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("creating a folder for %s: %w", path, err)
	}
	return atomicfile.Write(path, func(w io.Writer) error { return heatmap.EncodePNG(w, picture) })
}

func (p *predictions) write(row report.Prediction) error {
	if err := p.writer.Write(row); err != nil {
		return err
	}
	p.rows++
	return nil
}

// close ends the rows. Those that were written stay, whatever happened.
func (p *predictions) close() error {
	err := p.writer.Close()
	if p.file != nil {
		err = errors.Join(err, p.file.Close())
	}
	return err
}

// summary says what was done and where it is.
func (p *predictions) summary() string {
	text := counted(p.rows-p.failed, "picture", "pictures") + " scored"
	if p.options.threshold != nil {
		text += fmt.Sprintf(", %d of them anomalous (score at least %v)", p.anomalous, *p.options.threshold)
	}
	if p.failed > 0 {
		text += fmt.Sprintf(", %d failed", p.failed)
	}
	if p.file == nil {
		return text
	}
	text += "; see " + p.file.Name()
	for _, tree := range []struct {
		written bool
		name    string
	}{{p.options.heatmaps, heatmapTree}, {p.options.masks, maskTree}} {
		if tree.written {
			text += " and " + filepath.Join(p.folder, tree.name)
		}
	}
	return text
}

// saved says what is left when not all were scored, and how to go on.
func (p *predictions) saved(total int) string {
	if p.file == nil {
		return fmt.Sprintf("%d of %d rows were written", p.rows, total)
	}
	return fmt.Sprintf("%s holds %d of %d rows; --overwrite starts again", p.file.Name(), p.rows, total)
}
