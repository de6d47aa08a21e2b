package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/anomalymap"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/conditions"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/shard"
)

// Job is one target to be scored with one checkpoint.
type Job struct {
	Set        *data.Dataset
	Checkpoint *Trained // jobs of one checkpoint share it
	Contents   string   // names the contents of the set's pictures and masks; "" where nobody asked
	Leak       bool     // the checkpoint was trained on the target itself, or on files of it
}

// EvaluateOptions say what Evaluate scores and how.
type EvaluateOptions struct {
	Config         config.Loaded
	Jobs           []Job // at least one; all at one image size
	AllowOtherCLIP bool
	Version        string // of this program
	Batch          int
	Load           pixels.LoadOptions
	Pixels         metrics.Options // how the scores of pixels are kept
	Share          shard.Share     // the part of each class that is scored
	// Finished opens the folder where finished classes are kept and found, before
	// anything is scored; nil: none is.
	Finished func(shard.Plan) (*shard.Folder, error)
	// Map receives each anomaly map [S, S] and mask (nil: nothing is anomalous, or
	// it is not known where); nil: nobody does.
	Map       func(job Job, item data.Item, anomaly *anomalymap.Map, mask []uint8) error
	MapFormat string // what Map makes of them, in a word; a finished class is taken over only with the same
	Emit      func(events.Event)

	Gates bool // keep the weights of the fusion gateway with each picture's score
}

// Evaluate scores targets class by class and returns their metrics and every
// picture's score. A picture that cannot be read is counted, reported as a warning
// and left out. Where a share of each class is scored, the results have counts
// and no metrics; the folder of finished classes has what Merge needs.
//
// Batches begin anew with each class, so that a picture's score has the same bits
// in whatever shares and after whatever interruption it is computed.
func Evaluate(ctx context.Context, o EvaluateOptions) (*report.Evaluation, []report.Score, error) {
	start := time.Now()
	o.Emit = serialized(o.Emit)
	e := &evaluation{EvaluateOptions: o}
	if err := e.makePlan(); err != nil {
		return nil, nil, err
	}
	first := o.Jobs[0].Checkpoint
	if err := e.openBase(ctx, first); err != nil {
		return nil, nil, err
	}
	defer e.close()
	e.base.tell(o.Emit, activationSet(e.Config))
	if err := e.describeMachine(); err != nil {
		return nil, nil, err
	}
	checkpoints := e.checkpoints()
	for _, trained := range checkpoints {
		if err := e.base.fits(*trained, e.AllowOtherCLIP, e.Emit); err != nil {
			return nil, nil, err
		}
	}
	o.Emit(e.base.conditions(first.Model.ImageSize))
	if err := e.findFinished(); err != nil {
		return nil, nil, err
	}
	if e.total > 0 {
		o.Emit(events.StageStarted{Stage: evaluateStage, Unit: "pictures", Total: e.total})
	}
	for _, trained := range checkpoints {
		if err := e.checkpoint(ctx, trained); err != nil {
			return nil, nil, err
		}
	}
	if e.total > 0 {
		o.Emit(events.StageDone{Stage: evaluateStage, Seconds: time.Since(start).Seconds()})
		o.Emit(e.costs.event(time.Since(start)))
	}
	evaluation, scores := e.gather()
	return evaluation, scores, nil
}

// checkpoints are those of the jobs, each once.
func (e *evaluation) checkpoints() []*Trained {
	var list []*Trained
	for _, job := range e.Jobs {
		if !slices.Contains(list, job.Checkpoint) {
			list = append(list, job.Checkpoint)
		}
	}
	return list
}

// errChanged reports a checkpoint that is no longer what the results would say of it.
var errChanged = errors.New("it has changed since the evaluation began")

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

// evaluation is an Evaluate under way.
type evaluation struct {
	EvaluateOptions
	plan     shard.Plan
	base     *base
	loaded   config.Model // what base was opened for
	folder   *shard.Folder
	finished [][]*shard.Class // by job and class; nil where a class is not finished yet
	left     [][]classBatches // by job: the classes that are not finished yet
	total    int              // pictures to score
	done     int              // of them
	costs    costs
}

// openBase loads CLIP, unless the one at hand serves.
func (e *evaluation) openBase(ctx context.Context, trained *Trained) error {
	options := trained.Model
	if e.base != nil && options.ImageSize == e.loaded.ImageSize && options.Activation == e.loaded.Activation {
		return nil
	}
	e.close() // first: two CLIPs may be too large
	adapters, err := checkpoint.Open(trained.Path)
	if err != nil {
		return err
	}
	defer adapters.Close()
	next, err := openBaseFor(ctx, e.Config.Config, options, adapters)
	if err != nil {
		return err
	}
	e.base, e.loaded = next, options
	return nil
}

// close closes the CLIP that is open.
func (e *evaluation) close() {
	if e.base != nil {
		e.base.close()
	}
	e.base = nil
}

func (e *evaluation) describeMachine() (err error) {
	e.setCLIP(e.base.source)
	p := &e.plan.Evaluation.Provenance
	p.Device, p.Threads = e.base.runtime.Device().String(), e.base.runtime.Threads()
	if p.Libtorch, err = torch.Version(); err != nil {
		return err
	}
	hardware, err := torch.Hardware(e.base.runtime.Device())
	if err != nil {
		return err
	}
	kind, _, _ := strings.Cut(p.Device, ":") // which of several equal ones does not matter
	e.plan.Evaluation.Conditions = append(e.plan.Evaluation.Conditions,
		conditions.Of(conditions.Bits, "libtorch's version", p.Libtorch),
		conditions.Of(conditions.Bits, "device", kind),
		conditions.Of(conditions.Bits, "hardware", hardware),
		conditions.Of(conditions.Bits, "threads", p.Threads),
	)
	return nil
}

// findFinished takes over the classes that are finished already, and counts the pictures that are left.
func (e *evaluation) findFinished() error {
	if e.Finished != nil {
		var err error
		if e.folder, err = e.Finished(e.plan); err != nil {
			return err
		}
	}
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
func (e *evaluation) takeOver(job Job, class data.Class, kept *shard.Class) error {
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

func failedPicture(target, class, text string) events.Warning {
	return events.Warning{Text: fmt.Sprintf("%s/%s: %s", target, class, text)}
}

// batches are those of a job's class that are in the share.
func (e *evaluation) batches(job, class int) classBatches {
	all := batchesOf(e.Jobs[job].Set, class, e.Batch)
	mine := classBatches{class: class}
	for i, batch := range all.batches {
		if e.Share.Has(e.plan.First[job][class] + i) {
			mine.batches = append(mine.batches, batch)
		}
	}
	return mine
}

// checkpoint runs the jobs of one checkpoint.
func (e *evaluation) checkpoint(ctx context.Context, trained *Trained) error {
	var left []int
	for i, job := range e.Jobs {
		if job.Checkpoint == trained && e.left[i] != nil {
			left = append(left, i)
		}
	}
	if left == nil {
		return nil
	}
	for _, change := range trained.Changes {
		e.Emit(events.Notice{Text: change})
	}
	if err := e.openBase(ctx, trained); err != nil {
		return err
	}
	adapters, err := checkpoint.Open(trained.Path)
	if err != nil {
		return err
	}
	defer adapters.Close()
	if adapters.Fingerprint != trained.Source.Fingerprint {
		return fmt.Errorf("checkpoint %s: %w; give a file that no training writes to", trained.Path, errChanged)
	}
	d, err := e.base.detector(adapters, *trained)
	if err != nil {
		return err
	}
	defer d.free()
	for _, i := range left {
		if err := e.job(ctx, d, i); err != nil {
			return fmt.Errorf("evaluating %s: %w", e.Jobs[i].Set.Name, err)
		}
	}
	return nil
}

// job scores the classes of one job that are not finished.
func (e *evaluation) job(ctx context.Context, d *Detector, i int) error {
	job := e.Jobs[i]
	s := scorer{
		detector: d, set: job.Set, load: e.Load, batch: e.Batch, batchKey: "--batch", pixels: e.Pixels,
		result: e.plan.Evaluation.Results[i], gates: e.Gates, costs: &e.costs,
		warn: func(warning events.Warning) { e.Emit(warning) },
		scored: func(scored Scored) {
			e.done++
			e.Emit(events.Progress{Stage: evaluateStage, Done: e.done, Total: e.total, Detail: job.Set.Name + "/" + scored.Picture.Item.Class})
		},
		finished: func(c *classTally) error { return e.finish(i, c) },
	}
	if e.Map != nil {
		s.counted = func(scored Scored) error { return e.Map(job, scored.Picture.Item, scored.Map, scored.Picture.Mask) }
	}
	return s.run(ctx, e.left[i])
}

// finish computes what a class of a job has come to, and keeps it. Of a share's
// class the pixels are kept for whoever joins the shares.
func (e *evaluation) finish(job int, c *classTally) error {
	forOthers := c.pixels
	if e.Share.IsWhole() {
		forOthers = nil
		if err := c.metrics(); err != nil {
			return err
		}
	}
	if e.folder != nil {
		if err := e.folder.Keep(job, c.class, c.Class, forOthers); err != nil {
			return err
		}
	}
	e.finished[job][c.class] = &c.Class
	return nil
}

// gather joins what is finished, in the order of the jobs.
func (e *evaluation) gather() (*report.Evaluation, []report.Score) {
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
