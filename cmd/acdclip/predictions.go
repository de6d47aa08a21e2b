package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"acdclip/internal/rundir"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/events"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/intake"
	"acdclip/pkg/page"
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
	drawer  drawer
	writer  report.PredictionWriter
	drawing *drawings // nil where nothing is drawn

	posting  *posting // nil where nothing is posted
	unposted error    // set by close: why rows were not posted; nil if all were

	run     *report.PredictionRun // what makes the rows
	known   map[string]knownRow   // the rows that are written, by the picture's absolute path
	outputs map[string]string     // the absolute paths of the pictures of earlier rows, by the files written for them
	start   time.Time

	pageDue     bool // while a folder is watched: there are rows that the page does not show
	pageWritten time.Time
	pageTook    time.Duration
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
func openPredictions(o *predictOptions, folder rundir.Dir, decode picture.DecodeOptions, style heatmap.Style, run *report.PredictionRun) (*predictions, error) {
	p := &predictions{options: o, decode: decode, run: run, start: time.Now(), known: map[string]knownRow{}, outputs: map[string]string{}}
	var err error
	if o.out == standardOut {
		p.writer, err = report.NewPredictionWriter(o.app.out, o.format.Rows(), o.rawScores)
		return p, err
	}
	if p.held, err = folder.Hold(); err != nil {
		return nil, err
	}
	p.drawer = drawer{write: p.held.WriteQuickly, style: style, threshold: o.pixelThreshold}
	if err := p.begin(); err != nil {
		return nil, errors.Join(err, p.held.Close())
	}
	p.draw()
	return p, nil
}

// draw begins to draw pictures where any are wanted.
func (p *predictions) draw() {
	if p.options.any() {
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
	if err := p.colorBar(); err != nil {
		return err
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
func (p *predictions) add(input intake.Picture, class string, scored scoring.Scored) error {
	o := p.options
	row := &pendingRow{
		Prediction: report.Prediction{Path: input.Path, Class: class, Threshold: o.threshold, Width: scored.Picture.Width, Height: scored.Picture.Height, File: input.Mark},
		failed:     scored.Err,
	}
	if scored.Err == nil {
		row.Score, row.MapMax, row.RawMapMax, row.ClassProbability = scored.Score, scored.MapMax, scored.RawMapMax, scored.ClassProbability
		if o.threshold != nil {
			row.Anomalous = new(scored.Score >= *o.threshold)
		}
		if o.pixelThreshold != nil {
			row.Regions = scoring.Regions(scored.Map, *o.pixelThreshold, row.Width, row.Height)
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
		row.Heatmap, row.Figure, row.Mask, row.Map, row.Thumbnail, row.Regions = "", "", "", "", "", nil
		p.options.app.emit(events.Warning{Text: row.Path + ": " + row.Error})
	}
	path := row.Path
	for _, text := range []*string{&row.Path, &row.Class, &row.Heatmap, &row.Figure, &row.Mask, &row.Map, &row.Thumbnail, &row.Error} {
		*text = report.EscapeName(*text) // a row is one line
	}
	if err := p.posting.add(path, row.Prediction); err != nil {
		return err
	}
	if err := p.writer.Write(row.Prediction); err != nil {
		return err
	}
	p.known[absolutePath(path)] = knownRow{file: row.File, failed: row.failed != nil, anomalous: row.failed == nil && row.Anomalous != nil && *row.Anomalous}
	return nil
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

// close ends the rows, notes in run.json what there is now, and waits for rows that are to be
// posted; finished says that all inputs have their rows. Those that were written stay, whatever happened. A file of rows
// that is no longer where it was written is an error.
func (p *predictions) close(ctx context.Context, finished bool) error {
	settled := p.settle()
	finished = finished && settled == nil
	errs := []error{settled, p.writer.Close()}
	if p.file != nil {
		there := rundir.StillAt(p.path, p.file)
		errs = append(errs, there, p.held.Complete(), p.file.Close())
		if there == nil {
			errs = append(errs, p.markEncoding(), p.workbook(finished), p.page(), p.held.WriteRun(p.counted(finished)))
		}
		p.unposted = p.posting.finish(ctx)
		errs = append(errs, p.held.Close())
	}
	return errors.Join(errs...)
}

// markEncoding puts a byte-order mark before a CSV file that needs one.
func (p *predictions) markEncoding() error {
	if p.options.format.Rows() != report.PredictionCSV {
		return nil
	}
	rows, err := os.Open(p.path)
	if err != nil {
		return err
	}
	defer rows.Close()
	needed, err := report.NeedsByteOrderMark(rows)
	if err != nil || !needed {
		return err
	}
	if _, err := rows.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return p.held.Write(rundir.PredictionsFile(report.PredictionCSV), func(w io.Writer) error { return report.CopyWithByteOrderMark(w, rows) })
}

// mostThumbnails is the number of rows with thumbnails in a workbook.
const mostThumbnails = 20_000

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
	var thumbnail func(string) ([]byte, error)
	switch count := p.count(true).rows; {
	case !p.options.thumbnails:
	case count > mostThumbnails:
		p.options.app.emit(events.Warning{Text: fmt.Sprintf("the workbook has no thumbnails: it has %d rows, and thumbnails in more than %d would take too much memory and time", count, mostThumbnails)})
	default:
		thumbnail = func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(p.options.out, name)) }
	}
	return p.held.Write(rundir.PredictionsFile(report.PredictionXLSX), func(w io.Writer) error {
		return report.WritePredictionsXLSX(w, rows, p.options.rawScores, thumbnail)
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
	o, files := p.options, []string{p.path}
	for _, file := range []struct {
		written bool
		name    string
	}{
		{o.format == report.PredictionXLSX, rundir.PredictionsFile(report.PredictionXLSX)},
		{o.html, page.Index}, {o.heatmaps, rundir.HeatmapTree}, {o.figures, rundir.FigureTree}, {o.masks, rundir.MaskTree}, {o.maps != "", rundir.MapTree},
		{o.thumbnails, page.ThumbnailTree},
	} {
		if file.written {
			files = append(files, filepath.Join(o.out, file.name))
		}
	}
	return text + "; see " + plural.And(files)
}

// saved says what is left when not all were scored, and how to go on.
func (p *predictions) saved(total int) string {
	if p.file == nil {
		return fmt.Sprintf("%d of %d rows were written", len(p.known), total)
	}
	return fmt.Sprintf("%s has %d of %d rows; --resume goes on, --overwrite starts again", p.path, len(p.known), total)
}
