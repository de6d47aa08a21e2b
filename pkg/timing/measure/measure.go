// Package measure measures how long the stages of scoring and training take.
package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/scoring"
	"acdclip/pkg/timing"
	"acdclip/pkg/training"
)

// Options say what to measure.
type Options struct {
	Formats []string // number formats of CLIP's matrices, at least one
	Rounds  int      // that count
	Items   []data.Item
	Prompt  string // the name of what all pictures show
	Domain  domain.Domain
	Load    pixels.LoadOptions

	// Open loads the model in a format; nobody else closes it.
	Open func(ctx context.Context, format string) (*detect.Detector, error)
	// OpenTraining prepares a training on one picture in a format. nil measures none, and so
	// does a result of nil, for a format that cannot be trained in.
	OpenTraining func(ctx context.Context, format string, picture pixels.Picture) (*training.StepTimer, error)
	// Memory knows the peak memory of this process.
	Memory Memory

	Emit func(events.Event)
}

// Memory knows the peak memory of this process.
type Memory interface {
	// Reset begins a new peak, and reports whether the system lets it.
	Reset() bool
	// Peak returns the bytes of the peak; 0 if it is not known.
	Peak() int64
}

// Stage is the name of the stage that is reported to Emit.
const Stage = "measure"

// Run measures, and returns a report without the names of what was measured. A round
// measures each format in turn: it opens the model anew, so that only one is in memory,
// scores a batch to warm up, measures, and closes it. The first round warms up and is not
// counted. All clocks are monotonic.
func Run(ctx context.Context, o Options) (timing.Report, error) {
	m := measuring{Options: o, report: timing.Report{Batch: len(o.Items), Rounds: o.Rounds}}
	start := time.Now()
	o.Emit(events.StageStarted{Stage: Stage, Unit: "rounds", Total: 1 + o.Rounds})
	for round := range 1 + o.Rounds {
		if round < 2 { // the first round warmed up
			m.begin()
		}
		for i := range o.Formats {
			if err := m.format(ctx, i); err != nil {
				return timing.Report{}, err
			}
		}
		if err := m.common(ctx); err != nil {
			return timing.Report{}, err
		}
		o.Emit(events.Progress{Stage: Stage, Done: 1 + round, Total: 1 + o.Rounds})
	}
	o.Emit(events.StageDone{Stage: Stage, Seconds: time.Since(start).Seconds()})
	return m.report, nil
}

// measuring is a running measurement.
type measuring struct {
	Options
	report  timing.Report
	picture pixels.Picture  // the first one, as the model takes it
	scored  *anomalymap.Map // of that picture
}

// begin forgets all times.
func (m *measuring) begin() {
	m.report.Common, m.report.Peaks = nil, true
	m.report.Formats = make([]timing.Format, len(m.Formats))
	for i, format := range m.Formats {
		m.report.Formats[i].Precision = format
	}
}

// perPicture is the share of one picture in the duration of a batch, in seconds.
func (m *measuring) perPicture(d time.Duration) float64 {
	return d.Seconds() / float64(len(m.Items))
}

// format measures one round of a format.
func (m *measuring) format(ctx context.Context, index int) error {
	f := &m.report.Formats[index]
	m.report.Peaks = m.Memory.Reset() && m.report.Peaks
	if err := m.scoring(ctx, f); err != nil {
		return err
	}
	f.PeakMemory = lower(f.PeakMemory, m.Memory.Peak())
	if m.OpenTraining == nil {
		return nil
	}
	m.Memory.Reset()
	stepped, err := m.training(ctx, f)
	if stepped {
		f.TrainingMemory = lower(f.TrainingMemory, m.Memory.Peak())
	}
	return err
}

// lower returns the lower of two peaks, of which 0 is unknown: a later round may hold memory
// of an earlier one that the system has not taken back.
func lower(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// scoring measures the stages of scoring in a format.
func (m *measuring) scoring(ctx context.Context, f *timing.Format) error {
	start := time.Now()
	detector, err := m.Open(ctx, f.Precision)
	if err != nil {
		return err
	}
	defer detector.Close()
	f.Stages.Add("load the model", "", time.Since(start).Seconds())

	classes := domain.Classes{Prompts: []string{m.Prompt}, Domain: m.Domain}
	start = time.Now()
	if err := detector.Prepare(ctx, classes); err != nil {
		return err
	}
	f.Stages.Add("prompts of a class", "class", time.Since(start).Seconds())

	batch, err := m.load(ctx, detector.Size(), m.Load.Workers)
	if err != nil {
		return err
	}
	classOf := make([]int, len(batch))
	if _, _, err := detector.Time(ctx, classes, batch, classOf); err != nil { // warms up
		return err
	}
	took, scored, err := detector.Time(ctx, classes, batch, classOf)
	if err != nil {
		return err
	}
	if err := scored[0].Err; err != nil {
		return err
	}
	m.picture, m.scored = batch[0], scored[0].Map
	f.Stages.Add("image tower", "picture", m.perPicture(took.Tower))
	f.Stages.Add("rest of the method*", "picture", m.perPicture(took.Forward-took.Tower))
	f.Stages.Add("read map and score", "picture", m.perPicture(took.Reading))

	whole, err := m.whole(ctx, detector, classes)
	if err != nil {
		return err
	}
	f.Stages.Add("predict, file to map", "picture", m.perPicture(whole))
	return nil
}

// whole measures the way of predict for the batch, from the files to scores and maps.
func (m *measuring) whole(ctx context.Context, detector *detect.Detector, classes domain.Classes) (time.Duration, error) {
	work := scoring.Work{
		Items: m.Items, Classes: classes, ClassOf: make([]int, len(m.Items)), Batches: scoring.Chunks(len(m.Items), len(m.Items)),
		Load: m.Load, Costs: &scoring.Costs{}, BatchKey: "--batch",
	}
	start := time.Now()
	err := detector.ScoreAll(ctx, work, func(s scoring.Scored) error { return s.Err })
	return time.Since(start), err
}

// training measures a training step in a format, unless there is none.
func (m *measuring) training(ctx context.Context, f *timing.Format) (stepped bool, err error) {
	picture := m.picture
	picture.Item.Anomalous, picture.Mask = true, mask(m.scored.Width)
	timer, err := m.OpenTraining(ctx, f.Precision, picture)
	if err != nil || timer == nil {
		return false, err
	}
	defer timer.Close()
	if _, err := timer.Step(ctx); err != nil { // warms up
		return false, err
	}
	took, err := timer.Step(ctx)
	if err != nil {
		return false, err
	}
	f.Stages.Add("training step", "picture", took.Seconds())
	return true, nil
}

// load reads the batch, on so many goroutines.
func (m *measuring) load(ctx context.Context, size, workers int) ([]pixels.Picture, error) {
	options := m.Load
	options.Size, options.Workers = size, workers
	var batch []pixels.Picture
	for picture := range pixels.Load(ctx, m.Items, options) {
		if picture.Err != nil {
			return nil, picture.Err
		}
		batch = append(batch, picture)
	}
	return batch, ctx.Err()
}

// common measures the stages that no number format changes.
func (m *measuring) common(ctx context.Context) error {
	start := time.Now()
	if _, err := m.load(ctx, m.scored.Width, 1); err != nil {
		return err
	}
	m.report.Common.Add("decode and resize", "picture", m.perPicture(time.Since(start)))
	took, err := timeMetrics(m.scored)
	if err != nil {
		return fmt.Errorf("computing metrics: %w", err)
	}
	m.report.Common.Add("metrics of a map", "picture", took.Seconds())
	return nil
}

// timeMetrics measures how long pixel metrics take for a map: adding it with a mask, and its
// share of the summary of several.
func timeMetrics(scored *anomalymap.Map) (time.Duration, error) {
	const maps = 4
	truth := mask(scored.Width)
	start := time.Now()
	collected, err := metrics.NewPixels(metrics.Options{})
	if err != nil {
		return 0, err
	}
	for range maps {
		if err := collected.Add(scored.Scores, truth, scored.Width, scored.Height); err != nil {
			return 0, errors.Join(err, collected.Close())
		}
	}
	_, err = collected.Summary()
	took := time.Since(start)
	return took / maps, errors.Join(err, collected.Close())
}

// mask marks a square in the middle of a picture [S, S], a sixteenth of it.
func mask(size int) []uint8 {
	marked := make([]uint8, size*size)
	for y := size * 3 / 8; y < size*5/8; y++ {
		for x := size * 3 / 8; x < size*5/8; x++ {
			marked[y*size+x] = 1
		}
	}
	return marked
}
