package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/detect"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/events"
	"acdclip/pkg/pairing"
	"acdclip/pkg/plural"
	"acdclip/pkg/trained"
)

// evalPlan is what will be scored with what. It is made, and refused, before any weight is read.
type evalPlan struct {
	loaded       config.Loaded
	models       *pairing.Models
	jobs         []evaluation.Job // target by target
	modelChecked bool
}

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
	if loaded, err = o.useBuiltin(loaded, datasets); err != nil {
		return nil, err
	}
	entries, err := o.entries(loaded, datasets)
	if err != nil {
		return nil, err
	}
	for _, path := range o.checkpoints {
		if err := checkNotRun("--checkpoint", path); err != nil {
			return nil, err
		}
	}
	for _, entry := range entries {
		for _, text := range entry.UnknownTargets() {
			o.app.emit(events.Warning{Text: text})
		}
	}
	p := &evalPlan{loaded: loaded, models: pairing.New(entries, o.checkpoints, o.app.methods.Cards())}
	if err := p.models.Check(); err != nil { // rather now than after the datasets are read
		return nil, err
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
	if err := pairing.CheckSizes(evaluation.Checkpoints(p.jobs)); err != nil {
		if len(entries) == 1 {
			return nil, err
		}
		o.app.emit(events.Notice{Text: err.Error()}) // each method has its own size
	}
	return p, nil
}

// useBuiltin takes the built-in weights where nothing names any.
func (o *evalOptions) useBuiltin(loaded config.Loaded, datasets []datasetArgument) (config.Loaded, error) {
	if len(loaded.Config.Models) > 0 {
		return loaded, nil
	}
	if len(loaded.Config.Checkpoints) > 0 && len(o.checkpoints) == 0 {
		return o.app.useBuiltinSize(&o.config, datasets, loaded, pairs(loaded), true)
	}
	first := ""
	if len(o.checkpoints) > 0 {
		first = o.checkpoints[0]
	}
	loaded, used, err := o.app.useBuiltin(&o.config, datasets, loaded, first)
	if first == "" && used != "" {
		o.checkpoints = []string{used}
	}
	return loaded, err
}

// entries returns the configuration of each model to compare: those of the key models in
// the order of their names, or without any the one configuration.
func (o *evalOptions) entries(loaded config.Loaded, datasets []datasetArgument) ([]pairing.Entry, error) {
	models := loaded.Config.Models
	if len(models) == 0 {
		return []pairing.Entry{{Loaded: loaded}}, nil
	}
	if err := o.checkCompared(loaded); err != nil {
		return nil, err
	}
	var list []pairing.Entry
	for _, name := range slices.Sorted(maps.Keys(models)) {
		flags := o.config
		flags.files = append(slices.Clone(flags.files), models[name])
		each, err := o.app.load(&flags, datasets, true)
		if err != nil {
			return nil, fmt.Errorf("models.%s: %w", name, err)
		}
		if each, err = o.app.useBuiltinSize(&flags, datasets, each, pairs(each), true); err != nil {
			return nil, fmt.Errorf("models.%s: %w", name, err)
		}
		entry := pairing.Entry{Loaded: each, Name: name}
		if err := entry.CheckKeys(models[name]); err != nil {
			return nil, err
		}
		list = append(list, entry)
	}
	return list, nil
}

// pairs reports whether a configuration has checkpoints to pair with targets.
func pairs(loaded config.Loaded) bool {
	for _, list := range loaded.Config.Checkpoints {
		if len(list) > 0 {
			return true
		}
	}
	return false
}

// checkCompared refuses what applies to one model where a configuration compares several.
func (o *evalOptions) checkCompared(loaded config.Loaded) error {
	if len(o.checkpoints) > 0 {
		return usagef("--checkpoint scores one model, but the configuration compares those under models; leave one of them out")
	}
	for _, key := range []string{"method", "preset"} {
		if origin, set := loaded.Set[key]; set && origin.Line == 0 { // not in a file
			return usagef("%s: %s: would apply to all models that are compared; set it in each model's file, or leave models out", origin, key)
		}
	}
	return nil
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

// settlePrecision finds the number format of each model, which the results record.
func (o *evalOptions) settlePrecision(ctx context.Context, p *evalPlan) error {
	told := map[events.Event]bool{} // several checkpoints may have one CLIP
	for _, m := range evaluation.Checkpoints(p.jobs) {
		settled, err := detect.SettlePrecision(ctx, detect.Scoring, m.Loaded.Config, m.Options, func(event events.Event) {
			if !told[event] {
				told[event] = true
				o.app.emit(event)
			}
		})
		if err != nil {
			return err
		}
		m.Loaded.Config.Precision = settled
	}
	return nil
}

// inputs are the paths that the evaluation reads.
func (p *evalPlan) inputs() []string {
	var list []string
	for _, c := range evaluation.Checkpoints(p.jobs) {
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
	for _, entry := range p.models.Entries {
		if err := detect.Check(entry.Config); err != nil {
			return entry.In(err)
		}
	}
	return nil
}

// addAllTargets plans every dataset of the configuration with the models that were not
// trained on it.
func (o *evalOptions) addAllTargets(ctx context.Context, p *evalPlan) error {
	for _, name := range slices.Sorted(maps.Keys(p.loaded.Config.Data.Roots)) {
		models, err := p.models.Of(name)
		if err != nil {
			return err
		}
		unseen, seen := pairing.Unseen(models, name)
		if unseen == nil {
			continue // the auxiliary dataset
		}
		for _, m := range seen {
			o.app.emit(events.Warning{Text: fmt.Sprintf("%s is not scored with %s, which was trained on it; --target %s --allow-leak scores it anyway", name, m.Name(), name)})
		}
		if err := o.addJobs(ctx, p, name, unseen); err != nil {
			return err
		}
	}
	if len(p.jobs) == 0 {
		return usagef("no target dataset: give --target NAME=PATH, or list datasets under data.roots in a configuration file")
	}
	return nil
}

// addTarget plans one dataset with each of its models.
func (o *evalOptions) addTarget(ctx context.Context, p *evalPlan, name string) error {
	for _, job := range p.jobs {
		if job.Set.Name == name {
			return usagef("--target names %s twice", name)
		}
	}
	models, err := p.models.Of(name)
	if err != nil {
		return err
	}
	return o.addJobs(ctx, p, name, models)
}

// addJobs plans one dataset with models.
func (o *evalOptions) addJobs(ctx context.Context, p *evalPlan, name string, models []*trained.Model) error {
	if err := p.checkModel(); err != nil { // rather now than after the dataset is read
		return err
	}
	set, err := o.app.discover(ctx, p.loaded.Config, name, o.selection)
	if err != nil {
		return err
	}
	for _, m := range models {
		leak, err := pairing.Leak(ctx, m, set, o.allowLeak)
		if err != nil {
			return err
		}
		if shared := m.SharedPrompts(set); len(shared) > 0 && !leak {
			o.app.emit(events.Warning{Text: fmt.Sprintf("%s: %s was trained on %s of the same name: %s", name, m.Path, plural.Of(len(shared), "class", "classes"), plural.Few(shared))})
		}
		p.jobs = append(p.jobs, evaluation.Job{Set: set, Checkpoint: m, Leak: leak})
	}
	return nil
}
