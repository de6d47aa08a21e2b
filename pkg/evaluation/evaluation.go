// Package evaluation plans an evaluation, tallies what is scored class by class, keeps
// what is finished, joins shares and judges foreign anomaly maps. It is handed what
// scores, and is pure Go.
package evaluation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/conditions"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
	"acdclip/pkg/trained"
)

// Job is one target to be scored with one checkpoint.
type Job struct {
	Set        *data.Dataset
	Checkpoint *trained.Model // jobs of one checkpoint share it
	Contents   string         // names the contents of the set's pictures and masks; "" where nobody asked
	Leak       bool           // the checkpoint was trained on the target itself, or on files of it
}

// Detectors gives what scores with each checkpoint.
type Detectors interface {
	// Open makes ready for the checkpoints, in the order in which they are asked for,
	// and says what they will run on. It refuses one that does not belong to the CLIP.
	Open(ctx context.Context, checkpoints []*trained.Model) (scoring.Machine, error)
	// Detector gives what scores with one of them. One is open at a time.
	Detector(ctx context.Context, checkpoint *trained.Model) (scoring.Detector, error)
	Close()
}

// Options say what an evaluation scores and how.
type Options struct {
	Config    config.Loaded
	Jobs      []Job // at least one; all at one image size
	Detectors Detectors
	Version   string // of this program
	Batch     int
	Load      pixels.LoadOptions
	Pixels    metrics.Options // how the scores of pixels are kept
	Share     finished.Share  // the part of each class that is scored
	Extras    []string        // names of the methods' other outputs that are kept with each picture's score
	// Map receives each anomaly map [S, S] and mask (nil: nothing is anomalous, or
	// it is not known where); nil: nobody does.
	Map       func(job Job, item data.Item, anomaly *anomalymap.Map, mask []uint8) error
	MapFormat string // what Map makes of them, in a word; a finished class is taken over only with the same
	Emit      func(events.Event)
}

// Evaluation is an evaluation under way. The caller closes it.
//
// Batches begin anew with each class, so that a picture's score has the same bits
// in whatever shares and after whatever interruption it is computed.
type Evaluation struct {
	Options
	plan     finished.Plan
	start    time.Time
	folder   *finished.Folder
	finished [][]*finished.Class // by job and class; nil where a class is not finished yet
	left     [][]Batches         // by job: the classes that are not finished yet
	total    int                 // pictures to score
	done     int                 // of them
	costs    scoring.Costs
}

// Begin plans an evaluation and opens what scores. It scores nothing and writes nothing.
func Begin(ctx context.Context, o Options) (*Evaluation, error) {
	o.Emit = serialized(o.Emit)
	e := &Evaluation{Options: o, start: time.Now()}
	if err := e.makePlan(); err != nil {
		return nil, err
	}
	machine, err := o.Detectors.Open(ctx, e.checkpoints())
	if err != nil {
		e.Close()
		return nil, err
	}
	e.setMachine(machine)
	return e, nil
}

// Plan is what the evaluation computes, and under which conditions.
func (e *Evaluation) Plan() finished.Plan { return e.plan }

// Close closes what scores.
func (e *Evaluation) Close() { e.Detectors.Close() }

// Run scores the targets class by class and returns their metrics and every picture's
// score. A picture that cannot be read is counted, reported as a warning and left out.
// Finished classes are kept in folder, and those that are there already are taken over;
// nil: none is. Where a share of each class is scored, the results have counts and no
// metrics; the folder has what Merge needs.
func (e *Evaluation) Run(ctx context.Context, folder *finished.Folder) (*report.Evaluation, []report.Score, error) {
	e.folder = folder
	if err := e.findFinished(); err != nil {
		return nil, nil, err
	}
	if e.total > 0 {
		e.Emit(events.StageStarted{Stage: evaluateStage, Unit: "pictures", Total: e.total})
	}
	for _, checkpoint := range e.checkpoints() {
		if err := e.checkpoint(ctx, checkpoint); err != nil {
			return nil, nil, err
		}
	}
	if e.total > 0 {
		e.Emit(events.StageDone{Stage: evaluateStage, Seconds: time.Since(e.start).Seconds()})
		e.Emit(e.costs.Event(time.Since(e.start)))
	}
	result, scores := e.gather()
	return result, scores, nil
}

// checkpoints are those of the jobs, each once.
func (e *Evaluation) checkpoints() []*trained.Model {
	var list []*trained.Model
	for _, job := range e.Jobs {
		if !slices.Contains(list, job.Checkpoint) {
			list = append(list, job.Checkpoint)
		}
	}
	return list
}

const evaluateStage = "evaluate"

// serialized lets one goroutine emit at a time.
func serialized(emit func(events.Event)) func(events.Event) {
	var lock sync.Mutex
	return func(event events.Event) {
		lock.Lock()
		defer lock.Unlock()
		emit(event)
	}
}

// setMachine records what scores.
func (e *Evaluation) setMachine(m scoring.Machine) {
	e.setCLIP(m.CLIP, m.Activation)
	p := &e.plan.Evaluation.Provenance
	p.Device, p.Threads, p.Libtorch = m.Device, m.Threads, m.Libtorch
	kind, _, _ := strings.Cut(p.Device, ":") // which of several equal ones does not matter
	e.plan.Evaluation.Conditions = append(e.plan.Evaluation.Conditions,
		conditions.Of(conditions.Bits, "libtorch's version", p.Libtorch),
		conditions.Of(conditions.Bits, "device", kind),
		conditions.Of(conditions.Bits, "hardware", m.Hardware),
		conditions.Of(conditions.Bits, "threads", p.Threads),
	)
}

// findFinished takes over the classes that are finished already, and counts the pictures that are left.
func (e *Evaluation) findFinished() error {
	found, all := 0, 0
	for i, job := range e.Jobs {
		for j, class := range job.Set.Classes {
			all++
			if e.folder != nil {
				kept, err := e.folder.Finished(i, j)
				if err != nil {
					return err
				}
				if e.finished[i][j] = kept; kept != nil {
					found++
					if err := e.takeOver(job, class, kept); err != nil {
						return err
					}
					continue
				}
			}
			left := e.batches(i, j)
			e.left[i] = append(e.left[i], left)
			e.total += left.pictures()
		}
	}
	if found > 0 {
		e.Emit(events.Notice{Text: fmt.Sprintf("%d of %d classes are finished already", found, all)})
	}
	return nil
}

// takeOver makes a class that was finished earlier one of this evaluation: its
// pictures are where they lie now, and those that failed are named again.
func (e *Evaluation) takeOver(job Job, class data.Class, kept *finished.Class) error {
	for i := range kept.Scores {
		score := &kept.Scores[i]
		if score.Place < 0 || score.Place >= len(job.Set.Items) || job.Set.Items[score.Place].Class != class.Name {
			return fmt.Errorf("finished class %s of %s: picture %d is none of it; --overwrite begins again", class.Name, job.Set.Name, score.Place)
		}
		score.Path = report.EscapeName(job.Set.Items[score.Place].Path)
		if score.Error != "" {
			e.Emit(failedPicture(job.Set.Name, class.Name, score.Error))
		}
	}
	return nil
}

func failedPicture(target, class, text string) events.Event {
	return events.Warning{Text: fmt.Sprintf("%s/%s: %s", target, class, text)}
}

// batches are those of a job's class that are in the share.
func (e *Evaluation) batches(job, class int) Batches {
	all := BatchesOf(e.Jobs[job].Set, class, e.Batch)
	mine := Batches{Class: class}
	for i, batch := range all.Places {
		if e.Share.Has(e.plan.First[job][class] + i) {
			mine.Places = append(mine.Places, batch)
		}
	}
	return mine
}

// checkpoint runs the jobs of one checkpoint.
func (e *Evaluation) checkpoint(ctx context.Context, checkpoint *trained.Model) error {
	var left []int
	for i, job := range e.Jobs {
		if job.Checkpoint == checkpoint && e.left[i] != nil {
			left = append(left, i)
		}
	}
	if left == nil {
		return nil
	}
	for _, change := range checkpoint.Changes {
		e.Emit(events.Notice{Text: change})
	}
	detector, err := e.Detectors.Detector(ctx, checkpoint)
	if err != nil {
		return err
	}
	defer detector.Close()
	for _, i := range left {
		if err := e.job(ctx, detector, i); err != nil {
			return fmt.Errorf("evaluating %s: %w", e.Jobs[i].Set.Name, err)
		}
	}
	return nil
}

// job scores the classes of one job that are not finished.
func (e *Evaluation) job(ctx context.Context, detector scoring.Scorer, i int) error {
	job := e.Jobs[i]
	c := ByClass{
		Scorer: detector, Set: job.Set, Load: e.Load, Batch: e.Batch, BatchKey: "--batch", Pixels: e.Pixels,
		Result: e.plan.Evaluation.Results[i], Extras: e.Extras, Costs: &e.costs, Warn: e.Emit,
		Scored: func(scored scoring.Scored) {
			e.done++
			e.Emit(events.Progress{Stage: evaluateStage, Done: e.done, Total: e.total, Detail: job.Set.Name + "/" + scored.Picture.Item.Class})
		},
		Finished: func(c *Class) error { return e.finish(i, c) },
	}
	if e.Map != nil {
		c.Counted = func(scored scoring.Scored) error {
			return e.Map(job, scored.Picture.Item, scored.Map, scored.Picture.Mask)
		}
	}
	return c.Run(ctx, e.left[i])
}

// finish computes what a class of a job has come to, and keeps it. Of a share's
// class the pixels are kept for whoever joins the shares.
func (e *Evaluation) finish(job int, c *Class) error {
	forOthers := c.pixels
	if e.Share.IsWhole() {
		forOthers = nil
		if err := c.ComputeMetrics(); err != nil {
			return err
		}
	}
	kept := finished.Class{Row: c.Row, Scores: c.Scores}
	if e.folder != nil {
		if err := e.folder.Keep(job, c.Place, kept, forOthers); err != nil {
			return err
		}
	}
	e.finished[job][c.Place] = &kept
	return nil
}

// gather joins what is finished, in the order of the jobs.
func (e *Evaluation) gather() (*report.Evaluation, []report.Score) {
	result := e.plan.Evaluation
	result.Results = slices.Clone(result.Results)
	var scores []report.Score
	for i, classes := range e.finished {
		rows := make([]report.Row, len(classes))
		for j, class := range classes {
			rows[j] = class.Row
			scores = append(scores, class.Scores...)
		}
		result.Results[i].Classes = rows
	}
	return &result, scores
}
