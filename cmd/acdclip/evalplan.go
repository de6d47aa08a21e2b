package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/detect"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/events"
	"acdclip/pkg/model/card"
	"acdclip/pkg/trained"
)

// evalPlan is what will be scored with what. It is made, and refused, before any weight is read.
type evalPlan struct {
	loaded      config.Loaded
	compared    []comparedModel  // one without the key models
	checkpoints []*trained.Model // that jobs use, each once
	jobs        []evaluation.Job // target by target

	read         map[modelFile]*trained.Model // what was read of checkpoints
	methods      card.List
	modelChecked bool
}

// comparedModel is the configuration of a model to compare.
type comparedModel struct {
	config.Loaded
	name string // its key below models; "" without
}

// modelFile is a checkpoint as one of the compared models uses it; without a path it is a
// method that needs none.
type modelFile struct{ model, path string }

func (o *evalOptions) plan(ctx context.Context) (*evalPlan, error) {
	var datasets []datasetArgument
	for _, target := range o.targets {
		dataset, err := parseDataset("--target", target)
		if err != nil {
			return nil, err
		}
		datasets = append(datasets, dataset)
	}
	o.app.useMethodOf(&o.config, o.checkpoints...)
	loaded, err := o.app.load(&o.config, datasets, true)
	if err != nil {
		return nil, err
	}
	p := &evalPlan{loaded: loaded, read: map[modelFile]*trained.Model{}, methods: o.app.methods.Cards()}
	if p.compared, err = o.compared(loaded, datasets); err != nil {
		return nil, err
	}
	for _, path := range o.checkpoints { // rather now than after the datasets are read
		if err := checkNotRun("--checkpoint", path); err != nil {
			return nil, err
		}
		if _, err := p.checkpoint(path, p.compared[0]); err != nil {
			return nil, err
		}
	}
	for _, dataset := range datasets {
		if err := o.addTarget(ctx, p, dataset.name); err != nil {
			return nil, err
		}
	}
	if len(datasets) == 0 {
		if err := o.addAllTargets(ctx, p); err != nil {
			return nil, err
		}
	}
	p.checkpoints = slices.DeleteFunc(p.checkpoints, func(c *trained.Model) bool {
		return !slices.ContainsFunc(p.jobs, func(job evaluation.Job) bool { return job.Checkpoint == c })
	})
	return p, o.sameSize(p)
}

// compared returns the configuration of each model to compare: those of the key models in
// the order of their names, or without any, or with --checkpoint, the one configuration.
func (o *evalOptions) compared(loaded config.Loaded, datasets []datasetArgument) ([]comparedModel, error) {
	models := loaded.Config.Models
	if len(models) == 0 || len(o.checkpoints) > 0 {
		return []comparedModel{{Loaded: loaded}}, nil
	}
	var list []comparedModel
	for _, name := range slices.Sorted(maps.Keys(models)) {
		flags := o.config
		flags.files = append(slices.Clone(flags.files), models[name])
		each, err := o.app.load(&flags, datasets, true)
		if err != nil {
			return nil, fmt.Errorf("models.%s: %w", name, err)
		}
		if err := ownKeys(each, models[name]); err != nil {
			return nil, fmt.Errorf("models.%s: %w", name, err)
		}
		list = append(list, comparedModel{each, name})
	}
	return list, nil
}

// modelKeys are what the file of a compared model may set. All else is common to the models.
func modelKeys() []string {
	return []string{"method", "preset", "clip", "clip_heads", "precision", "model", "loss", "checkpoints", "data.pairing"}
}

// ownKeys returns an error for each key of a model's file that would have no effect there.
func ownKeys(loaded config.Loaded, file string) error {
	var wrong []error
	for _, key := range slices.Sorted(maps.Keys(loaded.Set)) {
		origin := loaded.Set[key]
		own := slices.ContainsFunc(modelKeys(), func(allowed string) bool { return key == allowed || strings.HasPrefix(key, allowed+".") })
		if !own && absolutePath(origin.File) == absolutePath(file) {
			wrong = append(wrong, usagef("%s: %s: applies to all models that are compared; set it in the main configuration", origin, key))
		}
	}
	return errors.Join(wrong...)
}

// addContents names the contents of each target's files, so that results of other
// files are not taken for theirs.
func (o *evalOptions) addContents(ctx context.Context, p *evalPlan) error {
	known := map[*data.Dataset]string{}
	for i := range p.jobs {
		set := p.jobs[i].Set
		if _, done := known[set]; !done {
			digest, err := o.app.contentsToScore(ctx, set)
			if err != nil {
				return err
			}
			known[set] = digest
		}
		p.jobs[i].Contents = known[set]
	}
	return nil
}

// inputs are the paths that the evaluation reads.
func (p *evalPlan) inputs() []string {
	var list []string
	for _, c := range p.checkpoints {
		list = append(list, c.Path, c.Loaded.Config.Clip)
	}
	for _, job := range p.jobs {
		list = append(list, job.Set.Root)
	}
	return list
}

// checkModel checks once that the CLIPs can be loaded.
func (p *evalPlan) checkModel() error {
	if p.modelChecked {
		return nil
	}
	p.modelChecked = true
	for _, each := range p.compared {
		if err := detect.Check(each.Config); err != nil {
			return err
		}
	}
	return nil
}

// addAllTargets plans every dataset of the configuration with the models that were not
// trained on it.
func (o *evalOptions) addAllTargets(ctx context.Context, p *evalPlan) error {
	for _, name := range slices.Sorted(maps.Keys(p.loaded.Config.Data.Roots)) {
		checkpoints, err := o.checkpointsOf(p, name)
		if err != nil {
			return err
		}
		seen := func(c *trained.Model) bool { return c.TrainedOn(name) }
		if !slices.ContainsFunc(checkpoints, func(c *trained.Model) bool { return !seen(c) }) {
			continue // the auxiliary dataset
		}
		for _, c := range checkpoints {
			if seen(c) {
				o.app.emit(events.Notice{Text: fmt.Sprintf("%s is not scored with %s, which was trained on it", name, c.Name())})
			}
		}
		if err := o.addJobs(ctx, p, name, slices.DeleteFunc(checkpoints, seen)); err != nil {
			return err
		}
	}
	if len(p.jobs) == 0 {
		return usagef("no target dataset: give --target NAME=PATH, or list datasets under data.roots in a configuration file")
	}
	return nil
}

// addTarget plans one dataset with each of its checkpoints.
func (o *evalOptions) addTarget(ctx context.Context, p *evalPlan, name string) error {
	for _, job := range p.jobs {
		if job.Set.Name == name {
			return usagef("--target names %s twice", name)
		}
	}
	checkpoints, err := o.checkpointsOf(p, name)
	if err != nil {
		return err
	}
	return o.addJobs(ctx, p, name, checkpoints)
}

// addJobs plans one dataset with models.
func (o *evalOptions) addJobs(ctx context.Context, p *evalPlan, name string, checkpoints []*trained.Model) error {
	if err := p.checkModel(); err != nil { // rather now than after the dataset is read
		return err
	}
	set, err := o.app.discover(ctx, p.loaded.Config, name, o.selection)
	if err != nil {
		return err
	}
	for _, c := range checkpoints {
		leak, err := c.Leak(ctx, set)
		if err != nil {
			return err
		}
		if leak != "" && !o.allowLeak {
			return usagef("%s, so the result would not be zero-shot; --allow-leak scores it anyway", leak)
		}
		if shared := c.SharedPrompts(set); len(shared) > 0 && leak == "" {
			o.app.emit(events.Warning{Text: fmt.Sprintf("%s: %s was trained on classes with the same names: %s", name, c.Path, strings.Join(shared, ", "))})
		}
		p.jobs = append(p.jobs, evaluation.Job{Set: set, Checkpoint: c, Leak: leak != ""})
	}
	return nil
}

// checkpointsOf gives the models that score a target, each once.
func (o *evalOptions) checkpointsOf(p *evalPlan, target string) ([]*trained.Model, error) {
	var list []*trained.Model
	var missing []error // of all models, to be mended together
	for _, model := range p.compared {
		each, err := o.modelsOf(p, model, target)
		if err != nil && model.name != "" {
			err = fmt.Errorf("models.%s: %w", model.name, err)
		}
		missing = append(missing, err)
		list = append(list, each...)
	}
	return list, errors.Join(missing...)
}

// modelsOf gives the models of one configuration that score a target.
func (o *evalOptions) modelsOf(p *evalPlan, loaded comparedModel, target string) ([]*trained.Model, error) {
	paths, trainedOn := o.checkpoints, ""
	if len(paths) == 0 {
		auxiliary, paired := loaded.Config.Data.AuxiliaryOf(target)
		if loaded.Card.Learns {
			paths, trainedOn = loaded.Config.Checkpoints[auxiliary], auxiliary
		}
		untrained := !loaded.Card.Learns || len(loaded.Config.Checkpoints) == 0 && !loaded.Card.Needs(loaded.Config.Model)
		switch {
		case len(paths) > 0:
		case untrained:
			m, err := p.untrained(loaded)
			if err != nil {
				return nil, err
			}
			return []*trained.Model{m}, nil
		case !paired:
			return nil, usagef("no checkpoint for %s: give --checkpoint FILE (from `acdclip train`), or set data.pairing and checkpoints in a configuration file", target)
		default:
			return nil, usagef("no checkpoint for %s: data.pairing pairs it with the auxiliary dataset %s, but checkpoints.%s is empty", target, auxiliary, auxiliary)
		}
	}
	var list []*trained.Model
	for _, path := range paths {
		c, err := p.checkpoint(path, loaded)
		if err != nil {
			return nil, err
		}
		c.SetAuxiliary(trainedOn)
		for _, other := range list {
			if absolutePath(other.Path) == absolutePath(c.Path) {
				return nil, usagef("%s: the checkpoint %s is given twice", target, path)
			}
		}
		list = append(list, c)
	}
	return list, nil
}

// untrained is the model of a method that needs no checkpoint.
func (p *evalPlan) untrained(c comparedModel) (*trained.Model, error) {
	return p.once(modelFile{c.name, ""}, func() (trained.Model, error) { return trained.Untrained(c.Loaded) })
}

// checkpoint describes a checkpoint as a compared model uses it.
func (p *evalPlan) checkpoint(path string, c comparedModel) (*trained.Model, error) {
	return p.once(modelFile{c.name, path}, func() (trained.Model, error) { return trained.Read(path, p.methods, c.Loaded) })
}

// once reads a model unless it has been read.
func (p *evalPlan) once(file modelFile, read func() (trained.Model, error)) (*trained.Model, error) {
	if known := p.read[file]; known != nil {
		return known, nil
	}
	m, err := read()
	if err != nil {
		return nil, err
	}
	m.Source.Model = file.model
	p.read[file] = &m
	p.checkpoints = append(p.checkpoints, &m)
	return &m, nil
}

// sameSize refuses models whose pixel metrics would not compare. Where a configuration
// asks for models side by side, each at its own size, it says so.
func (o *evalOptions) sameSize(p *evalPlan) error {
	first := p.checkpoints[0]
	for _, c := range p.checkpoints[1:] {
		if c.Options.Input().Size == first.Options.Input().Size {
			continue
		}
		text := fmt.Sprintf("%s works at %d pixels and %s at %d, so their pixel metrics are not strictly comparable; set one size with --set model.image_size=N",
			first.Name(), first.Options.Input().Size, c.Name(), c.Options.Input().Size)
		if len(p.compared) == 1 {
			return usagef("%s", text)
		}
		o.app.emit(events.Notice{Text: text})
		return nil
	}
	return nil
}
