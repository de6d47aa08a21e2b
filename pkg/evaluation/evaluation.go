// Package evaluation runs evaluations: it plans them, collects the scores class by class,
// saves finished classes, merges shares, and computes the metrics of anomaly maps from
// other programs. The detectors are passed in, so the package is pure Go.
package evaluation

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
	"acdclip/pkg/trained"
)

// Job is one target to score with one checkpoint.
type Job struct {
	Set        *data.Dataset
	Checkpoint *trained.Model // jobs of one checkpoint share it
	Contents   string         // hash of the contents of the set's pictures and masks; "" if not computed
	Leak       bool           // the checkpoint was trained on the target or some of its files
}

// Detectors opens the detectors of checkpoints.
type Detectors interface {
	// Open prepares for the checkpoints, in the order in which they will be used, and
	// describes the machine. A checkpoint that was trained on another CLIP is an error.
	Open(ctx context.Context, checkpoints []*trained.Model) (scoring.Machine, error)
	// Detector opens the detector of one checkpoint. The caller closes it before it opens
	// the next.
	Detector(ctx context.Context, checkpoint *trained.Model) (scoring.Detector, error)
	Close()
}

// Options configure an evaluation.
type Options struct {
	Jobs      []Job // at least one
	Detectors Detectors
	Version   string // of this program
	Batch     int
	Load      pixels.LoadOptions
	Pixels    metrics.Options // memory and limits for pixel scores
	Share     finished.Share  // the part of each class that is scored
	Extras    []string        // names of extra outputs that are saved with each picture's score
	Raw       bool            // the methods' own scores and maps are wanted beside those in [0, 1]
	// Files writes files for a picture that was scored, with the method's own map if Raw is
	// true. It runs beside the scoring. It may be nil.
	Files    func(job Job, scored scoring.Scored) error
	FilesAre string // what Files writes; finished classes are reused only if it is the same
	Emit     func(events.Event)
}

// Evaluation is a running evaluation. The caller closes it.
//
// Each class starts with a new batch, so that a picture's score has the same bits
// regardless of shares and interruptions.
type Evaluation struct {
	Options
	plan     finished.Plan
	start    time.Time
	folder   *finished.Folder
	finished [][]*finished.Class  // by job and class; nil where a class is not finished yet
	left     [][]Batches          // by job: the unfinished classes
	total    int                  // pictures to score
	done     int                  // pictures already scored
	clips    map[any]trained.CLIP // of the models that are compared
	costs    scoring.Costs
	warned   map[events.Event]bool // warnings about files that were already emitted
}

// Begin plans an evaluation and opens the detectors. It scores nothing and writes nothing.
func Begin(ctx context.Context, o Options) (*Evaluation, error) {
	o.Emit = serialized(o.Emit)
	e := &Evaluation{Options: o, start: time.Now(), warned: map[events.Event]bool{}}
	if err := e.makePlan(); err != nil {
		return nil, err
	}
	machine, err := o.Detectors.Open(ctx, Checkpoints(e.Jobs))
	if err != nil {
		e.Close()
		return nil, err
	}
	e.setMachine(machine)
	return e, nil
}

// Plan returns the plan: the targets, checkpoints and classes, and the conditions that
// their numbers depend on.
func (e *Evaluation) Plan() finished.Plan { return e.plan }

// Close closes the detectors.
func (e *Evaluation) Close() { e.Detectors.Close() }

// Run scores the targets class by class and returns their metrics and every picture's
// score. A picture that cannot be read is counted, reported as a warning and left out.
// Finished classes are saved in folder, and those already there are reused; folder may be
// nil. If a share is scored, the results have counts but no metrics, and the folder holds
// what Merge needs.
func (e *Evaluation) Run(ctx context.Context, folder *finished.Folder) (*report.Evaluation, []report.Score, error) {
	e.folder = folder
	if err := e.findFinished(); err != nil {
		return nil, nil, err
	}
	if e.total > 0 {
		e.Emit(events.StageStarted{Stage: evaluateStage, Unit: "pictures", Total: e.total})
	}
	for _, checkpoint := range Checkpoints(e.Jobs) {
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

// Checkpoints lists the distinct checkpoints of jobs, in order of appearance.
func Checkpoints(jobs []Job) []*trained.Model {
	var list []*trained.Model
	for _, job := range jobs {
		if !slices.Contains(list, job.Checkpoint) {
			list = append(list, job.Checkpoint)
		}
	}
	return list
}

const evaluateStage = "evaluate"

// serialized makes emit safe for concurrent use.
func serialized(emit func(events.Event)) func(events.Event) {
	var lock sync.Mutex
	return func(event events.Event) {
		lock.Lock()
		defer lock.Unlock()
		emit(event)
	}
}

// setMachine records the machine in the plan.
func (e *Evaluation) setMachine(m scoring.Machine) {
	e.setCLIP(m.CLIP, m.Activation)
	p := &e.plan.Evaluation.Provenance
	p.Device, p.Threads, p.Libtorch = m.Device, m.Threads, m.Libtorch
	e.plan.Evaluation.Conditions = append(e.plan.Evaluation.Conditions, m.Conditions()...)
}

// findFinished loads the finished classes from the folder and counts the remaining pictures.
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
		e.Emit(events.Notice{Text: fmt.Sprintf("%d of %d classes are already finished", found, all)})
	}
	return nil
}

// takeOver reuses a class that was finished earlier: it updates the paths of the pictures,
// which may have moved, and repeats the warnings about pictures that failed.
func (e *Evaluation) takeOver(job Job, class data.Class, kept *finished.Class) error {
	for i := range kept.Scores {
		score := &kept.Scores[i]
		if score.Place < 0 || score.Place >= len(job.Set.Items) || job.Set.Items[score.Place].Class != class.Name {
			return fmt.Errorf("finished class %s of %s: picture %d does not belong to it; use --overwrite to start again", class.Name, job.Set.Name, score.Place)
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

// batches returns the batches of a job's class that belong to the share.
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

// warnOnce emits a warning about a dataset's files once, although each checkpoint reads them
// again.
func (e *Evaluation) warnOnce(event events.Event) {
	if !e.warned[event] {
		e.warned[event] = true
		e.Emit(event)
	}
}

// job scores the unfinished classes of one job.
func (e *Evaluation) job(ctx context.Context, detector scoring.Scorer, i int) error {
	job := e.Jobs[i]
	c := ByClass{
		Scorer: detector, Set: job.Set, Model: job.Checkpoint.Options, Load: e.Load, Batch: e.Batch, BatchKey: "--batch", Pixels: e.Pixels,
		Result: e.plan.Evaluation.Results[i], Extras: e.Extras, RawMaps: e.Raw && e.Files != nil, Costs: &e.costs, Warn: e.Emit, WarnOfFiles: e.warnOnce,
		Scored: func(scored scoring.Scored) {
			e.done++
			e.Emit(events.Progress{Stage: evaluateStage, Done: e.done, Total: e.total, Detail: job.Set.Name + "/" + scored.Picture.Item.Class})
		},
		Finished: func(c *Class) error { return e.finish(i, c) },
	}
	if e.Files != nil {
		c.Counted = func(scored scoring.Scored) error { return e.Files(job, scored) }
	}
	return c.Run(ctx, e.left[i])
}

// finish computes the metrics of a class and saves it. For a share it saves the pixel
// scores instead, from which Merge computes the metrics.
func (e *Evaluation) finish(job int, c *Class) error {
	forMerge := c.pixels
	if e.Share.IsWhole() {
		forMerge = nil
		if err := c.ComputeMetrics(); err != nil {
			return err
		}
	}
	kept := finished.Class{Row: c.Row, Scores: c.Scores}
	if e.folder != nil {
		if err := e.folder.Keep(job, c.Place, kept, forMerge); err != nil {
			return err
		}
	}
	e.finished[job][c.Place] = &kept
	return nil
}

// gather collects the finished classes in the order of the jobs.
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
