package training

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/scoring"
	"acdclip/pkg/trained"
)

// run is a running training.
type run struct {
	Options
	backbone *detect.Backbone
	method   model.Trainable
	trainer  *Trainer
	metadata checkpoint.Metadata
	promptOf map[string]string // prompt name by class of the training split
	cache    *pixels.Cache
	held     *data.Dataset    // the validation split; nil without
	told     map[string]bool  // warnings about validations and masks that were already emitted
	fits     scoring.MaskFits // of the epoch's pictures
	depths   scoring.Depths   // of the epoch's pictures

	at      checkpoint.Place // progress after the last complete step
	moves   int64            // the optimiser's updates at that point
	began   time.Time        // when the epoch started or was resumed
	saved   time.Time        // when the state was last saved
	unsaved error            // why the last save failed; nil if it did not
}

func newRun(ctx context.Context, o Options) (*run, error) {
	if o.Resume != nil {
		o.Config = asStarted(o.Config, o.Resume.Metadata)
	}
	learned, held, err := o.split()
	if err != nil {
		return nil, err
	}
	o.Set = learned
	b, err := o.open(ctx)
	if err != nil {
		return nil, err
	}
	b.Tell(o.Emit, o.ActivationSet)
	if o.Config.Model, err = b.Complete(o.Config.Model); err != nil {
		b.Close()
		return nil, err
	}
	r := &run{
		Options: o, backbone: b, held: held, told: map[string]bool{}, promptOf: map[string]string{}, cache: pixels.NewCache(o.Config.Data.Cache),
		depths: scoring.Depths{Bits: o.Load.Decode.Bits}, at: checkpoint.Place{Epoch: 1},
	}
	for _, class := range o.Set.Classes {
		r.promptOf[class.Name] = o.Set.PromptOf(o.Config.Model, class)
	}
	if err := r.build(ctx); err != nil {
		b.Close()
		return nil, err
	}
	return r, nil
}

// first opens the checkpoint that a new training starts from; nil for none. The caller
// closes it.
func (o *Options) first() (*checkpoint.Checkpoint, error) {
	if o.Resume != nil || o.Config.Train.InitFrom == "" {
		return nil, nil
	}
	initial, err := trained.OpenCheckpoint(o.Config.Train.InitFrom, o.Methods.Cards(), o.Config)
	if err != nil {
		return nil, err
	}
	if err := config.CheckInitial(initial.Metadata.Model, o.Config.Model); err != nil {
		initial.Close()
		return nil, fmt.Errorf("checkpoint %s: %w", initial.Path, err)
	}
	return initial, nil
}

// open loads CLIP. Before, it checks that the checkpoint to start from matches it.
func (o *Options) open(ctx context.Context) (*detect.Backbone, error) {
	method, err := o.Methods.Find(o.Config.Method)
	if err != nil {
		return nil, err
	}
	initial, err := o.first()
	if err != nil {
		return nil, err
	}
	var values model.Values
	if initial != nil {
		defer initial.Close()
		values = initial
	}
	return detect.OpenBackbone(ctx, detect.Training, method, o.Config, o.Config.Model, values)
}

// build creates the method and the trainer and restores the state of a run to resume.
func (r *run) build(ctx context.Context) (err error) {
	if r.metadata, err = r.describe(); err != nil {
		return err
	}
	o := model.Options{
		Model: r.Config.Model, Loss: r.Config.Loss, Seed: r.Config.Seed, Warn: func(text string) { r.Emit(events.Warning{Text: text}) },
		FeatureCache: model.FeatureCache{Bytes: r.Config.Train.FeatureCache, Half: r.Config.Train.FeatureFormat == config.FeaturesFP16},
	}
	switch {
	case r.Resume != nil:
		// The checkpoint that the run started from is not read again: the state has its files and fingerprint.
		was := r.Resume.Metadata
		r.metadata.Files, r.metadata.Recipe.InitFrom, r.metadata.Earlier = was.Files, was.Recipe.InitFrom, was.Earlier
		if err := r.continues(r.Resume); err != nil {
			return err
		}
		o.Values = r.Resume
	case r.Config.Train.InitFrom != "":
		initial, err := trained.OpenCheckpoint(r.Config.Train.InitFrom, r.Methods.Cards(), r.Config)
		if err != nil {
			return err
		}
		defer initial.Close()
		if err := r.startFrom(initial); err != nil {
			return err
		}
		o.Values = initial
	}
	method, err := r.backbone.Trainable(o)
	if err != nil {
		return err
	}
	r.method = method
	return r.backbone.Runtime.Do(ctx, func(*torch.Scope) error {
		r.trainer = NewTrainer(r.backbone.Scope, method, r.Config.Train)
		if r.Resume != nil {
			r.trainer.restore(r.backbone.Scope, r.Resume)
			r.at, r.moves = r.Resume.Place, r.Resume.Moves
		}
		return nil
	})
}

// perStep returns the number of pictures per step. The last step of an epoch may have fewer.
func (r *run) perStep() int { return r.Config.Train.Batch * r.Config.Train.Accumulate }

func (r *run) steps() int {
	return r.Config.Train.Epochs * ((len(r.Set.Items) + r.perStep() - 1) / r.perStep())
}

// train trains the remaining epochs.
func (r *run) train(ctx context.Context) error {
	r.Emit(r.backbone.Conditions())
	if err := r.begin(); err != nil {
		return err
	}
	if r.held != nil {
		normal, anomalous := r.held.Total()
		r.Emit(events.Notice{Text: fmt.Sprintf("held out for validation: %s, %d normal and %d anomalous pictures", strings.Join(r.heldOut(), ", "), normal, anomalous)})
	}
	start := time.Now()
	r.Emit(events.StageStarted{Stage: r.stage(), Unit: events.UnitSteps, Done: r.at.Step, Total: r.steps()})
	for r.at.Epoch <= r.Config.Train.Epochs {
		if err := r.epoch(ctx); err != nil {
			return r.stopped(fmt.Errorf("epoch %d: %w", r.at.Epoch, err))
		}
		if err := r.saveEpoch(); err != nil {
			return err
		}
	}
	r.Emit(events.StageDone{Stage: r.stage(), Seconds: time.Since(start).Seconds()})
	return nil
}

func (r *run) stage() string { return "train on " + r.Set.Name }

// epoch learns from the remaining pictures of the epoch, in its order.
func (r *run) epoch(ctx context.Context) error {
	var pictures []pixels.Picture
	taken := r.at.Pictures
	for picture := range pixels.Load(ctx, r.Set.Items, r.loading()) {
		taken++
		if picture.Err != nil {
			if err := r.skip(picture); err != nil {
				return err
			}
			continue
		}
		r.fits.Add(picture)
		r.depths.Add(picture)
		if pictures = append(pictures, picture); len(pictures) == r.perStep() {
			if err := r.learn(ctx, pictures, taken); err != nil {
				return err
			}
			pictures = pictures[:0]
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(pictures) > 0 {
		if err := r.learn(ctx, pictures, taken); err != nil {
			return err
		}
	}
	return r.endEpoch(ctx)
}

// endEpoch validates and logs the epoch and advances to the next one. It validates first,
// so that a run stopped during the validation repeats it when resumed.
func (r *run) endEpoch(ctx context.Context) error {
	sums := r.at.Sums
	switch {
	case sums.Readable == 0:
		return fmt.Errorf("dataset %s: none of its pictures can be read: %w", r.Set.Name, data.ErrNoPictures)
	case sums.Anomalous == 0:
		return fmt.Errorf("dataset %s: none of its anomalous pictures can be read: %w", r.Set.Name, ErrNoAnomalies)
	case sums.Learned == 0:
		return fmt.Errorf("in all %d steps of the epoch the loss or the gradient was %w: %w", sums.SkippedSteps, ErrNotFinite, ErrDiverged)
	}
	r.tellPictures()
	event := events.TrainEpoch{
		Epoch: r.at.Epoch, Epochs: r.Config.Train.Epochs, Loss: sums.Loss / float64(sums.Learned),
		Skipped: len(r.at.Bad), SkippedSteps: sums.SkippedSteps, Seconds: r.seconds(),
	}
	for _, term := range sums.Terms {
		event.Parts = append(event.Parts, events.Value{Name: term.Name, Value: term.Sum / float64(sums.Learned)})
	}
	validation, err := r.validate(ctx)
	if err != nil {
		return err
	}
	best, lines := r.at.Best, []events.Event{event}
	if validation != nil {
		lines = append(lines, *validation)
		if validation.Best {
			best = &checkpoint.Best{Epoch: r.at.Epoch, Mean: *validation.Mean}
		}
	}
	if err := r.log(lines...); err != nil {
		return err
	}
	r.trainer.EndEpoch()
	r.at = checkpoint.Place{Epoch: r.at.Epoch + 1, Step: r.at.Step, LogLines: r.at.LogLines, Bad: r.at.Bad, Best: best}
	r.began = time.Now()
	return nil
}

// tellPictures warns once, not after every epoch, of masks whose aspect ratio differs from
// their pictures', and of pictures that do not fit data.depth.
func (r *run) tellPictures() {
	const key = "the pictures"
	if !r.told[key] {
		r.told[key] = true
		r.fits.Tell(r.Set, r.Emit)
		if text := r.depths.Text(r.Set.Relative); text != "" {
			r.Emit(events.Warning{Text: r.Set.Name + ": " + text})
		}
	}
	r.fits, r.depths = scoring.MaskFits{}, scoring.Depths{Bits: r.Load.Decode.Bits}
}

// seconds returns the time spent on the epoch so far, without pauses between runs.
func (r *run) seconds() float64 { return r.at.Seconds + time.Since(r.began).Seconds() }

// loading returns how to read the remaining pictures of the epoch: in the epoch's order,
// with augmentations that depend only on the seed, the epoch and each picture's index.
func (r *run) loading() pixels.LoadOptions {
	load := r.Load
	load.Size, load.Masks, load.MaskThreshold = r.method.Input().Size, true, r.Set.MaskThreshold
	load.BilinearMasks = r.Config.Train.Masks == config.MasksBilinear
	load.Ahead = r.perStep() // read the next batch during the current step
	order := r.order()
	load.Order = order[min(r.at.Pictures, len(order)):]
	load.Cache = r.cache
	if r.Config.Train.Augment {
		load.Augment = &pixels.Augmentation{Seed: r.Config.Seed, Epoch: r.at.Epoch}
	}
	if chance := r.Config.Train.Mosaic; chance > 0 {
		load.Mosaic = &pixels.Mosaic{Seed: r.Config.Seed, Epoch: r.at.Epoch, Chance: chance}
	}
	return load
}

// order returns the indexes of the pictures in the epoch's order.
func (r *run) order() []int {
	if r.Config.Train.Shuffle {
		return rand.New(rand.NewPCG(r.Config.Seed, uint64(r.at.Epoch))).Perm(len(r.Set.Items))
	}
	order := make([]int, len(r.Set.Items))
	for i := range order {
		order[i] = i
	}
	return order
}

// skip handles a picture that cannot be read: an error, or with data.skip_bad a warning at its first occurrence.
func (r *run) skip(picture pixels.Picture) error {
	err := fmt.Errorf("dataset %s, class %s: %w", r.Set.Name, picture.Item.Class, picture.Err)
	if !r.Config.Data.SkipBad {
		return fmt.Errorf("%w; set data.skip_bad=true to skip such pictures, or repair or remove it and start again", err)
	}
	if at, known := slices.BinarySearch(r.at.Bad, picture.Index); !known {
		r.at.Bad = slices.Insert(slices.Clone(r.at.Bad), at, picture.Index)
		r.Emit(events.Warning{Text: err.Error() + "; picture skipped"})
	}
	return nil
}

// maxSkippedInRow is the number of consecutive skipped steps that ends a training. Skipped
// steps change no parameter, so further steps would fare no better.
const maxSkippedInRow = 10

// learn takes one step on pictures; taken is the number of the epoch's pictures consumed
// after it. A step that has started is finished even if ctx ends.
func (r *run) learn(ctx context.Context, pictures []pixels.Picture, taken int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	next := r.at
	next.Step, next.Pictures = next.Step+1, taken
	event, err := r.step(context.WithoutCancel(ctx), next.Step, pictures)
	switch {
	case errors.Is(err, ErrNotFinite) && r.Config.Train.SkipNonfinite:
		r.Emit(events.Warning{Text: err.Error() + "; step skipped"})
		next.Sums = leftOut(next.Sums, pictures)
		if next.Sums.SkippedInRow == maxSkippedInRow {
			return fmt.Errorf("%w, for the %dth step in a row: %w", err, maxSkippedInRow, ErrDiverged)
		}
	case errors.Is(err, ErrNotFinite):
		return fmt.Errorf("%w; start again with a lower train.lr, or resume with train.skip_nonfinite=true to skip such steps", err)
	case err != nil:
		return err
	default:
		if err := r.log(event); err != nil {
			return err
		}
		next.LogLines = r.at.LogLines
		next.Sums = learned(next.Sums, event.Loss, event.Parts, pictures)
	}
	r.at, r.moves = next, r.trainer.Moves()
	return r.saveInTime()
}

// step updates the parameters from one step's pictures; number is the number of the step.
func (r *run) step(ctx context.Context, number int, pictures []pixels.Picture) (events.TrainStep, error) {
	event, start := events.TrainStep{Epoch: r.at.Epoch, Step: number, Steps: r.steps()}, time.Now()
	err := r.backbone.Runtime.Do(ctx, func(s *torch.Scope) (err error) {
		var batches []model.Batch
		for batch := range slices.Chunk(pictures, r.Config.Train.Batch) {
			batches = append(batches, r.batch(s, batch))
		}
		event.Loss, event.Parts, err = r.trainer.Step(ctx, s, batches...)
		return err
	})
	switch {
	case errors.Is(err, torch.ErrOutOfMemory): // the names of the pictures would not help
		return event, fmt.Errorf("step %d, of %d pictures: %w; train.recompute=true also saves memory", number, len(pictures), detect.Explain(err, "train.batch (and raise train.accumulate instead)"))
	case err != nil:
		return event, fmt.Errorf("step %d, %s: %w", number, described(pictures), err)
	}
	event.LearningRates, event.PicturesPerSecond = r.trainer.LearningRates(), float64(len(pictures))/time.Since(start).Seconds()
	return event, nil
}

// log writes lines that count together: a resumed run keeps either all of them or none.
func (r *run) log(lines ...events.Event) error {
	for _, event := range lines {
		r.Emit(event)
		if err := r.Folder.Log(event); err != nil {
			return fmt.Errorf("writing the log: %w", err)
		}
	}
	r.at.LogLines += len(lines)
	return nil
}

// described lists pictures and their classes.
func described(pictures []pixels.Picture) string {
	var paths, classes []string
	for _, picture := range pictures {
		paths = append(paths, picture.Item.Path)
		classes = append(classes, picture.Item.Class)
	}
	slices.Sort(classes)
	return fmt.Sprintf("class %s, pictures %s", strings.Join(slices.Compact(classes), ", "), strings.Join(paths, ", "))
}
