package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/contents"
	"acdclip/pkg/data"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip"
	"acdclip/pkg/report"
	"acdclip/pkg/weights"
)

// ErrNoAnomalies reports an auxiliary dataset of normal pictures alone.
var ErrNoAnomalies = errors.New("training needs anomalous pictures")

// ErrNoMasks reports an auxiliary dataset without masks.
var ErrNoMasks = errors.New("training needs masks")

// TrainOptions say what Train learns from and where the result goes.
type TrainOptions struct {
	Config  config.Config
	Set     *data.Dataset // the auxiliary dataset
	Files   contents.Set  // the content of all of its pictures, for the checkpoints
	Folder  string        // the run folder; it exists when Logged has returned for the first time
	Version string        // of this program, for the checkpoints
	Load    data.LoadOptions
	Emit    func(report.Event)
	Logged  func(report.Event) error // receives what belongs into log.jsonl
}

// Train trains the adapters and writes epoch-NNN.safetensors and
// last.safetensors into the run folder. When ctx ends, it stops after the step
// under way; the epochs that were finished are saved.
func Train(ctx context.Context, o TrainOptions) error {
	if !slices.ContainsFunc(o.Set.Items, func(item data.Item) bool { return item.Anomalous }) {
		return fmt.Errorf("dataset %s: none of the %d pictures chosen is anomalous: %w", o.Set.Name, len(o.Set.Items), ErrNoAnomalies)
	}
	if !o.Set.HasMasks() {
		return fmt.Errorf("dataset %s has no masks: %w", o.Set.Name, ErrNoMasks)
	}
	all := len(o.Set.Items)
	o.Set = o.Set.WithPixelTruth()
	if without := all - len(o.Set.Items); without > 0 {
		o.Emit(report.Warning{Text: fmt.Sprintf("%s: %d anomalous pictures without a mask are not learned from", o.Set.Name, without)})
	}
	run, err := newRun(ctx, o)
	if err != nil {
		return err
	}
	defer run.base.close()
	o.Emit(run.base.conditions(o.Config.Model.ImageSize))
	stage, start := "train on "+o.Set.Name, time.Now()
	o.Emit(report.StageStarted{Stage: stage, Unit: "steps", Total: run.steps()})
	for epoch := 1; epoch <= o.Config.Train.Epochs; epoch++ {
		if err := run.epoch(ctx, epoch); err != nil {
			return fmt.Errorf("epoch %d: %w", epoch, err)
		}
		if err := run.save(epoch); err != nil {
			return err
		}
	}
	o.Emit(report.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	return nil
}

// run is one training under way.
type run struct {
	TrainOptions
	base     *base
	method   model.Trainable
	trainer  *Trainer
	metadata checkpoint.Metadata
	classOf  map[string]model.Class
	cache    *data.Cache
	skipped  map[int]bool // places of the pictures that cannot be read, with data.skip_bad
	step     int
}

func newRun(ctx context.Context, o TrainOptions) (*run, error) {
	b, err := openBase(ctx, o.Config, o.Config.Model)
	if err != nil {
		return nil, err
	}
	o.Config.Model.Adapter.Hidden = o.Config.Model.Adapter.HiddenFor(b.clip.Vision.Width)
	r := &run{
		TrainOptions: o, base: b, classOf: map[string]model.Class{}, cache: data.NewCache(o.Config.Data.Cache), skipped: map[int]bool{},
	}
	for _, class := range o.Set.Classes {
		r.classOf[class.Name] = model.Class{Prompt: class.Prompt, Domain: o.Set.Domain}
	}
	method, err := b.method(o.Config.Model, o.Config.Loss, acdclip.FreshValues(o.Config.Seed), true)
	if err == nil {
		r.method = method
		r.metadata, err = r.describe()
	}
	if err == nil {
		err = b.runtime.Do(ctx, func(*torch.Scope) error {
			r.trainer = NewTrainer(b.scope, method, o.Config.Train)
			return nil
		})
	}
	if err != nil {
		b.close()
		return nil, err
	}
	return r, nil
}

// describe gives the metadata of the run's checkpoints.
func (r *run) describe() (checkpoint.Metadata, error) {
	libtorch, err := torch.Version()
	if err != nil {
		return checkpoint.Metadata{}, err
	}
	c := r.Config
	metadata := checkpoint.Metadata{
		Method: c.Method, Preset: c.Preset, Model: c.Model, Loss: c.Loss,
		Recipe: checkpoint.Recipe{
			Classes: c.Train.Classes, Limit: c.Train.Limit, Epochs: c.Train.Epochs, Batch: c.Train.Batch, LR: c.Train.LR, LRDecay: c.Train.LRDecay,
			Augment: c.Train.Augment, MaskThreshold: int(r.Set.MaskThreshold),
		},
		Auxiliary: r.Set.Name, ListHash: r.Set.ListHash(), Files: r.Files, CLIP: r.base.source.Fingerprint, Seed: &c.Seed,
		Threads: r.base.runtime.Threads(), Device: "cpu", Versions: checkpoint.Versions{Acdclip: r.Version, Libtorch: libtorch},
	}
	if r.base.runtime.Device().CUDA {
		metadata.Device = "cuda"
	}
	for _, class := range r.Set.Classes {
		metadata.Prompts = append(metadata.Prompts, class.Prompt)
	}
	slices.Sort(metadata.Prompts)
	return metadata, nil
}

func (r *run) steps() int {
	batch := r.Config.Train.Batch
	return r.Config.Train.Epochs * ((len(r.Set.Items) + batch - 1) / batch)
}

// epoch goes through the shuffled pictures once.
func (r *run) epoch(ctx context.Context, epoch int) error {
	mean, start := average{}, time.Now()
	var pictures []data.Picture
	learn := func() error {
		err := r.learn(ctx, epoch, pictures, &mean)
		pictures = pictures[:0]
		return err
	}
	for picture := range data.Load(ctx, r.Set.Items, r.loading(epoch)) {
		if picture.Err != nil {
			if err := r.skip(picture); err != nil {
				return err
			}
			continue
		}
		if pictures = append(pictures, picture); len(pictures) == r.Config.Train.Batch {
			if err := learn(); err != nil {
				return err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(pictures) > 0 {
		if err := learn(); err != nil {
			return err
		}
	}
	switch {
	case mean.pictures == 0:
		return fmt.Errorf("dataset %s: none of its pictures can be read: %w", r.Set.Name, data.ErrNoPictures)
	case mean.anomalous == 0:
		return fmt.Errorf("dataset %s: none of its anomalous pictures can be read: %w", r.Set.Name, ErrNoAnomalies)
	}
	if err := r.base.runtime.Do(ctx, func(*torch.Scope) error { r.trainer.EndEpoch(); return nil }); err != nil {
		return err
	}
	return r.log(report.TrainEpoch{
		Epoch: epoch, Epochs: r.Config.Train.Epochs, Loss: mean.loss(), Parts: mean.parts(), Skipped: len(r.skipped), Seconds: time.Since(start).Seconds(),
	})
}

// loading says how an epoch's pictures are read: in an order of its own, and
// varied by what seed, epoch and each picture's place give.
func (r *run) loading(epoch int) data.LoadOptions {
	load := r.Load
	load.Size, load.Masks, load.MaskThreshold = r.Config.Model.ImageSize, true, r.Set.MaskThreshold
	load.Ahead = r.Config.Train.Batch // the next batch is read while this one is learned
	load.Order = rand.New(rand.NewPCG(r.Config.Seed, uint64(epoch))).Perm(len(r.Set.Items))
	load.Cache = r.cache
	if r.Config.Train.Augment {
		load.Augment = &data.Augmentation{Seed: r.Config.Seed, Epoch: epoch}
	}
	return load
}

// skip leaves a picture that cannot be read out, where that is allowed, and warns the first time.
func (r *run) skip(picture data.Picture) error {
	err := fmt.Errorf("dataset %s, class %s: %w", r.Set.Name, picture.Item.Class, picture.Err)
	if !r.Config.Data.SkipBad {
		return fmt.Errorf("%w; mend or remove it, or set data.skip_bad", err)
	}
	if !r.skipped[picture.Index] {
		r.skipped[picture.Index] = true
		r.Emit(report.Warning{Text: err.Error() + "; it is left out"})
	}
	return nil
}

// learn takes one step on pictures.
func (r *run) learn(ctx context.Context, epoch int, pictures []data.Picture, mean *average) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	start := time.Now()
	var loss float64
	var parts report.Values
	err := r.base.runtime.Do(ctx, func(s *torch.Scope) (err error) {
		loss, parts, err = r.trainer.Step(ctx, s, r.batch(s, pictures))
		return err
	})
	r.step++
	if err != nil {
		return fmt.Errorf("step %d, pictures %s: %w", r.step, paths(pictures), explain(err, "train.batch"))
	}
	mean.add(loss, parts, pictures)
	return r.log(report.TrainStep{
		Epoch: epoch, Step: r.step, Steps: r.steps(), Loss: loss, Parts: parts, LearningRates: r.trainer.LearningRates(),
		PicturesPerSecond: float64(len(pictures)) / time.Since(start).Seconds(),
	})
}

// batch brings pictures and masks to the device.
func (r *run) batch(s *torch.Scope, pictures []data.Picture) model.Batch {
	count, size := int64(len(pictures)), int64(r.Config.Model.ImageSize)
	var pixels, masks []uint8
	var b model.Batch
	var classes classList
	for _, picture := range pictures {
		pixels = append(pixels, picture.Pix...)
		masks = append(masks, picture.Mask...)
		label := int64(0)
		if picture.Item.Anomalous {
			label = 1
		}
		b.Labels = append(b.Labels, label)
		b.ClassOf = append(b.ClassOf, classes.place(r.classOf[picture.Item.Class]))
	}
	b.Classes = classes.list
	b.Pictures = model.Normalize(s, s.FromUint8(pixels, count, size, size, 3), r.method.Input())
	if inside := insides(pictures, r.Config.Model.ImageSize); inside != nil {
		b.Pictures = b.Pictures.Mul(s.FromUint8(inside, count, 1, size, size).To(torch.Float32))
	}
	b.Masks = s.FromUint8(masks, count, size, size).To(torch.Float32)
	return b
}

// insides joins the pictures' Inside, [B, S, S]; nil where no picture has one.
func insides(pictures []data.Picture, size int) []uint8 {
	if !slices.ContainsFunc(pictures, func(p data.Picture) bool { return p.Inside != nil }) {
		return nil
	}
	var joined []uint8
	for _, picture := range pictures {
		if picture.Inside == nil {
			joined = append(joined, bytes.Repeat([]uint8{1}, size*size)...)
		}
		joined = append(joined, picture.Inside...)
	}
	return joined
}

func (r *run) log(event report.Event) error {
	r.Emit(event)
	if err := r.Logged(event); err != nil {
		return fmt.Errorf("writing the log: %w", err)
	}
	return nil
}

// save writes the parameters as this epoch's checkpoint and as the last one.
func (r *run) save(epoch int) error {
	metadata := r.metadata
	metadata.Epoch = epoch
	var tensors []weights.Value
	err := r.base.runtime.Do(context.Background(), func(*torch.Scope) error {
		for _, group := range r.method.Groups() {
			for _, p := range group.Parameters {
				tensors = append(tensors, weights.Value{Name: p.Name, Shape: p.Tensor.Shape(), Float32: p.Tensor.Float32s()})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range []string{fmt.Sprintf("epoch-%03d.safetensors", epoch), "last.safetensors"} {
		if err := checkpoint.Write(filepath.Join(r.Folder, name), metadata, tensors); err != nil {
			return err
		}
	}
	return nil
}

func paths(pictures []data.Picture) []string {
	var list []string
	for _, picture := range pictures {
		list = append(list, picture.Item.Path)
	}
	return list
}

// average is the mean over an epoch's pictures.
type average struct {
	total     float64
	terms     report.Values
	pictures  int
	anomalous int // of them
}

func (a *average) add(loss float64, parts report.Values, pictures []data.Picture) {
	if a.terms == nil {
		a.terms = make(report.Values, len(parts))
	}
	count := float64(len(pictures))
	a.total += loss * count
	for i, part := range parts {
		a.terms[i] = report.Value{Name: part.Name, Value: a.terms[i].Value + part.Value*count}
	}
	a.pictures += len(pictures)
	for _, picture := range pictures {
		if picture.Item.Anomalous {
			a.anomalous++
		}
	}
}

func (a *average) loss() float64 { return a.total / float64(a.pictures) }

func (a *average) parts() report.Values {
	means := make(report.Values, len(a.terms))
	for i, term := range a.terms {
		means[i] = report.Value{Name: term.Name, Value: term.Value / float64(a.pictures)}
	}
	return means
}
