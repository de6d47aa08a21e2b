package main

import (
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"acdclip/internal/rundir"
	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/events"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/plural"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
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

	run     *report.PredictionRun // what makes the rows
	known   map[string]knownRow   // the rows that are written, by the picture's absolute path
	outputs map[string]string     // the absolute paths of the pictures of earlier rows, by the files written for them
	start   time.Time
}

// knownRow is what is kept of a row.
type knownRow struct {
	file                       report.FileMark
	failed, anomalous, earlier bool // earlier: of a run that is resumed
}

// counts are numbers of rows.
type counts struct{ rows, failed, anomalous, earlier int }

// count counts the rows of this run, and those of earlier ones; all counts earlier rows as
// this run's too.
func (p *predictions) count(all bool) (c counts) {
	for _, row := range p.known {
		if row.earlier {
			c.earlier++
			if !all {
				continue
			}
		}
		c.rows++
		if row.failed {
			c.failed++
		}
		if row.anomalous {
			c.anomalous++
		}
	}
	return c
}

// openPredictions makes the output folder and begins or resumes the file of rows, or begins
// on stdout.
func openPredictions(o *predictOptions, folder rundir.Dir, decode picture.DecodeOptions, scale heatmap.Scale, run *report.PredictionRun) (*predictions, error) {
	p := &predictions{options: o, decode: decode, scale: scale, run: run, start: time.Now(), known: map[string]knownRow{}, outputs: map[string]string{}}
	var err error
	if o.out == standardOut {
		p.writer, err = report.NewPredictionWriter(o.app.out, o.format.Rows(), o.rawScores)
		return p, err
	}
	if p.held, err = folder.Hold(); err != nil {
		return nil, err
	}
	if err := p.begin(); err != nil {
		return nil, errors.Join(err, p.held.Close())
	}
	p.draw()
	return p, nil
}

// draw begins to draw pictures where any are wanted.
func (p *predictions) draw() {
	if p.options.heatmaps || p.options.masks || p.options.maps != "" {
		p.drawing = newDrawings(p.finish)
	}
}

// begin prepares the folder, which this program holds, and begins its files or resumes them.
func (p *predictions) begin() error {
	resumes, err := p.resume()
	if err != nil {
		return err
	}
	if !resumes {
		if err := p.held.Dir().Check(p.options.overwrite); err != nil { // another program may have come and gone since the first look
			return err
		}
		if err := p.held.Clear(func(string) bool { return false }); err != nil {
			return err
		}
	}
	if err := p.held.WriteRun(p.counted(false)); err != nil {
		return err
	}
	if p.options.heatmaps {
		if err := p.picture(filepath.Join(rundir.HeatmapTree, "colorbar.png"), heatmap.ColorBar(p.scale)); err != nil {
			return err
		}
	}
	if p.file != nil {
		return nil // resume has opened it
	}
	return p.create()
}

// create begins the file of rows.
func (p *predictions) create() error {
	name := rundir.PredictionsFile(p.options.format.Rows())
	if err := p.held.Own(name); err != nil {
		return err
	}
	p.path = filepath.Join(p.options.out, name)
	var err error
	if p.file, err = os.Create(p.path); err != nil {
		return fmt.Errorf("creating the predictions file: %w", err)
	}
	if p.writer, err = report.NewPredictionWriter(p.file, p.options.format.Rows(), p.options.rawScores); err != nil {
		return errors.Join(err, p.file.Close())
	}
	return nil
}

// add takes one picture's result. Where pictures are drawn for it, that and its
// row come beside the scoring of the next ones, and the error may be of an
// earlier one.
func (p *predictions) add(input markedInput, class string, scored scoring.Scored) error {
	o := p.options
	row := &pendingRow{
		Prediction: report.Prediction{Path: input.Path, Class: class, Threshold: o.threshold, Width: scored.Picture.Width, Height: scored.Picture.Height, File: input.mark},
		failed:     scored.Err,
	}
	if scored.Err == nil {
		row.Score, row.MapMax, row.RawMapMax, row.ClassProbability = scored.Score, scored.MapMax, scored.RawMapMax, scored.ClassProbability
		if o.threshold != nil {
			row.Anomalous = new(scored.Score >= *o.threshold)
		}
		if o.pixelThreshold != nil {
			row.Regions = regionsOf(scored.Map, *o.pixelThreshold, row.Width, row.Height)
		}
	}
	switch {
	case p.drawing == nil:
		return p.finish(row)
	case row.failed != nil:
		return p.drawing.add(row, 0, nil)
	}
	return p.drawing.add(row, int64(row.Width)*int64(row.Height), func() error { return p.pictures(input.Found, scored, row) })
}

// finish writes a row whose pictures are drawn.
func (p *predictions) finish(row *pendingRow) error {
	if row.failed != nil {
		row.Error = withoutPath(row.failed, row.Path)
		row.Heatmap, row.Mask, row.Map, row.Regions = "", "", "", nil
		p.options.app.emit(events.Warning{Text: row.Path + ": " + row.Error})
	}
	path := row.Path
	for _, text := range []*string{&row.Path, &row.Class, &row.Heatmap, &row.Mask, &row.Map, &row.Error} {
		*text = report.EscapeName(*text) // a row is one line
	}
	if err := p.writer.Write(row.Prediction); err != nil {
		return err
	}
	p.known[absolutePath(path)] = knownRow{file: row.File, failed: row.failed != nil, anomalous: row.failed == nil && row.Anomalous != nil && *row.Anomalous}
	return nil
}

// pictures draws the heat map and the mask of one picture and notes them in its
// row, as it does what is this picture's own trouble. An error ends the work.
func (p *predictions) pictures(input data.Found, scored scoring.Scored, row *pendingRow) error {
	err := p.heatmap(input, scored, row)
	if err == nil {
		err = p.mask(input, scored, row)
	}
	if err == nil {
		err = p.saveMap(input, scored, row)
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
	decoded, err := picture.DecodeScaled(input.Path, p.decode, func(width, height int) (int, int) {
		return heatmap.Within(width, height, p.options.maxSide)
	})
	if err != nil {
		return changedPicture{err}
	}
	width, height := decoded.Width, decoded.Height
	overlay, err := heatmap.Overlay(scored.Map, p.scale, decoded.Pix, width, height)
	if err != nil {
		return fmt.Errorf("%s: %w", input.Path, err)
	}
	if err := p.mark(overlay, scored, row); err != nil {
		return fmt.Errorf("%s: %w", input.Path, err)
	}
	format := p.options.heatmapFormat
	row.Heatmap = p.options.heatmapFile(input)
	return p.held.WriteQuickly(row.Heatmap, func(w io.Writer) error { return format.Encode(w, overlay) })
}

// mark outlines the regions that reach the pixels' threshold, and writes the score.
func (p *predictions) mark(overlay *image.RGBA, scored scoring.Scored, row *pendingRow) error {
	o := p.options
	if o.pixelThreshold != nil {
		size := overlay.Bounds().Size()
		mask, err := heatmap.Mask(scored.Map, *o.pixelThreshold, size.X, size.Y)
		if err != nil {
			return err
		}
		heatmap.Outline(overlay, mask)
	}
	text := fmt.Sprintf("score %.3f", row.Score)
	if row.Anomalous != nil && *row.Anomalous {
		text += " anomalous"
	}
	heatmap.Caption(overlay, text)
	return nil
}

// regionsOf describes where a map reaches a threshold, in a picture of that size.
func regionsOf(m *anomalymap.Map, threshold float32, width, height int) *report.Regions {
	found := &report.Regions{}
	pixels := 0
	for _, r := range m.Regions(threshold) {
		box := m.BoxIn(r, width, height)
		pixels += r.Pixels
		found.List = append(found.List, report.Region{
			Box: [4]int{box.Min.X, box.Min.Y, box.Dx(), box.Dy()}, Area: float64(r.Pixels) / float64(len(m.Scores)), Max: r.Max,
		})
	}
	found.Area = float64(pixels) / float64(len(m.Scores))
	return found
}

func (p *predictions) mask(input data.Found, scored scoring.Scored, row *pendingRow) error {
	if !p.options.masks {
		return nil
	}
	mask, err := heatmap.Mask(scored.Map, *p.options.pixelThreshold, row.Width, row.Height)
	if err != nil {
		return fmt.Errorf("%s: %w", input.Path, err)
	}
	row.Mask = p.options.maskFile(input)
	return p.held.WriteQuickly(row.Mask, func(w io.Writer) error { return heatmap.EncodePNG(w, mask) })
}

// heatmapFile, maskFile and mapFile are the paths of a picture's output files, relative to the
// output folder.
func (o *predictOptions) heatmapFile(input data.Found) string {
	return filepath.Join(rundir.HeatmapTree, input.Rel+o.heatmapFormat.Extension())
}

func (o *predictOptions) maskFile(input data.Found) string {
	return filepath.Join(rundir.MaskTree, input.Rel+".png")
}

func (o *predictOptions) mapFile(input data.Found) string {
	return filepath.Join(rundir.MapTree, input.Rel+o.maps.extension())
}

// outputsOf lists a picture's output files that are wanted.
func (o *predictOptions) outputsOf(input data.Found) []string {
	var list []string
	if o.heatmaps {
		list = append(list, o.heatmapFile(input))
	}
	if o.masks {
		list = append(list, o.maskFile(input))
	}
	if o.maps != "" {
		list = append(list, o.mapFile(input))
	}
	return list
}

// saveMap writes the anomaly map as it is.
func (p *predictions) saveMap(input data.Found, scored scoring.Scored, row *pendingRow) error {
	format := p.options.maps
	if format == "" {
		return nil
	}
	row.Map = p.options.mapFile(input)
	return p.held.WriteQuickly(row.Map, func(w io.Writer) error { return format.write(w, scored.Map) })
}

// changedPicture is a picture that could be read for its score and no longer for its heat map.
type changedPicture struct{ error }

// picture writes a PNG at a path below the output folder.
func (p *predictions) picture(path string, picture image.Image) error {
	return p.held.WriteQuickly(path, func(w io.Writer) error { return heatmap.EncodePNG(w, picture) })
}

// settle waits until the rows of all pictures that were added are written.
func (p *predictions) settle() error {
	if p.drawing == nil {
		return nil
	}
	err := p.drawing.close()
	p.drawing = nil
	return err
}

// close ends the rows, and notes in run.json what there is now; finished says that all
// inputs have their rows. Those that were written stay, whatever happened. A file of rows
// that is no longer where it was written is an error.
func (p *predictions) close(finished bool) error {
	settled := p.settle()
	finished = finished && settled == nil
	errs := []error{settled, p.writer.Close()}
	if p.file != nil {
		there := rundir.StillAt(p.path, p.file)
		errs = append(errs, there, p.held.Complete(), p.file.Close())
		if there == nil {
			errs = append(errs, p.workbook(finished), p.held.WriteRun(p.counted(finished)))
		}
		errs = append(errs, p.held.Close())
	}
	return errors.Join(errs...)
}

// workbook writes the rows as a workbook, if it is wanted and all are there.
func (p *predictions) workbook(finished bool) error {
	if p.options.format != report.PredictionXLSX || !finished {
		return nil
	}
	rows, err := os.Open(p.path)
	if err != nil {
		return err
	}
	defer rows.Close()
	return p.held.Write(rundir.PredictionsFile(report.PredictionXLSX), func(w io.Writer) error {
		return report.WritePredictionsXLSX(w, rows, p.options.rawScores)
	})
}

// counted returns the run with the numbers of its rows.
func (p *predictions) counted(finished bool) *report.PredictionRun {
	run, c := *p.run, p.count(true)
	run.Pictures, run.Failed = c.rows, c.failed
	if p.options.threshold != nil {
		run.Anomalous = &c.anomalous
	}
	if finished {
		run.Seconds = new(time.Since(p.start).Seconds())
	}
	return &run
}

// summary says what was done and where it is.
func (p *predictions) summary() string {
	c := p.count(false)
	text := plural.Of(c.rows-c.failed, "picture", "pictures") + " scored"
	if p.options.threshold != nil {
		text += fmt.Sprintf(", %d of them anomalous (score at least %v)", c.anomalous, *p.options.threshold)
	}
	if c.failed > 0 {
		text += fmt.Sprintf(", %d failed", c.failed)
	}
	if c.earlier > 0 {
		text += fmt.Sprintf(", %d scored before", c.earlier)
	}
	if p.file == nil {
		return text
	}
	text += "; see " + p.path
	if p.options.format == report.PredictionXLSX {
		text += " and " + filepath.Join(p.options.out, rundir.PredictionsFile(report.PredictionXLSX))
	}
	for _, tree := range []struct {
		written bool
		name    string
	}{{p.options.heatmaps, rundir.HeatmapTree}, {p.options.masks, rundir.MaskTree}, {p.options.maps != "", rundir.MapTree}} {
		if tree.written {
			text += " and " + filepath.Join(p.options.out, tree.name)
		}
	}
	return text
}

// saved says what is left when not all were scored, and how to go on.
func (p *predictions) saved(total int) string {
	if p.file == nil {
		return fmt.Sprintf("%d of %d rows were written", len(p.known), total)
	}
	return fmt.Sprintf("%s has %d of %d rows; --resume goes on, --overwrite starts again", p.path, len(p.known), total)
}
