package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"acdclip/internal/ui"
	"acdclip/pkg/config"
	"acdclip/pkg/contents"
	"acdclip/pkg/data"
	"acdclip/pkg/engine"
	"acdclip/pkg/events"
)

// evalPlan is what will be scored with what. It is made, and refused, before any weight is read.
type evalPlan struct {
	loaded      config.Loaded
	checkpoints []*engine.Trained // that jobs use, each once
	jobs        []engine.Job      // target by target

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
	loaded, err := o.app.load(&o.config, datasets, true)
	if err != nil {
		return nil, err
	}
	p := &evalPlan{loaded: loaded}
	for _, path := range o.checkpoints { // rather now than after the datasets are read
		if err := checkNotRun("--checkpoint", path); err != nil {
			return nil, err
		}
		if _, err := p.checkpoint(path); err != nil {
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
	p.checkpoints = slices.DeleteFunc(p.checkpoints, func(c *engine.Trained) bool {
		return !slices.ContainsFunc(p.jobs, func(job engine.Job) bool { return job.Checkpoint == c })
	})
	return p, p.sameSize()
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
	list := []string{p.loaded.Config.Clip}
	for _, c := range p.checkpoints {
		list = append(list, c.Path)
	}
	for _, job := range p.jobs {
		list = append(list, job.Set.Root)
	}
	return list
}

// checkModel checks once that the CLIP can be loaded.
func (p *evalPlan) checkModel() error {
	if p.modelChecked {
		return nil
	}
	p.modelChecked = true
	return engine.CheckModel(p.loaded.Config)
}

// addAllTargets plans every dataset of the configuration that its checkpoint was not trained on.
func (o *evalOptions) addAllTargets(ctx context.Context, p *evalPlan) error {
	for _, name := range slices.Sorted(maps.Keys(p.loaded.Config.Data.Roots)) {
		checkpoints, err := o.checkpointsOf(p, name)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(checkpoints, func(c *engine.Trained) bool { return trainedOn(c, name) }) {
			continue
		}
		if err := o.addTarget(ctx, p, name); err != nil {
			return err
		}
	}
	if len(p.jobs) == 0 {
		return usagef("no target dataset: give --target NAME=PATH, or put datasets under data.roots of a configuration")
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
	if err := p.checkModel(); err != nil { // rather now than after the dataset is read
		return err
	}
	set, err := o.app.discover(ctx, p.loaded.Config, name, o.selection)
	if err != nil {
		return err
	}
	for _, c := range checkpoints {
		leak, err := o.leak(ctx, c, set)
		if err != nil {
			return err
		}
		if leak != "" && !o.allowLeak {
			return usagef("%s, so this is no zero-shot result; --allow-leak scores it all the same", leak)
		}
		if shared := sharedPrompts(c, set); len(shared) > 0 && leak == "" {
			o.app.emit(events.Warning{Text: fmt.Sprintf("%s: %s was also trained on classes of this name: %s", name, c.Path, strings.Join(shared, ", "))})
		}
		p.jobs = append(p.jobs, engine.Job{Set: set, Checkpoint: c, Leak: leak != ""})
	}
	return nil
}

// leak says in words that the checkpoint was trained on the very dataset, or on
// files that are identical to some of it; "" where it was not, as far as is known.
func (o *evalOptions) leak(ctx context.Context, c *engine.Trained, set *data.Dataset) (string, error) {
	if trainedOn(c, set.Name) || set.Benchmark != nil && trainedOn(c, set.Benchmark.Key) {
		return fmt.Sprintf("%s was trained on %s itself (as %s)", c.Path, set.Name, c.Metadata.Auxiliary), nil
	}
	if c.Metadata.Files.Len() == 0 {
		return "", nil
	}
	hasher := contents.Hasher{Cache: contents.DefaultCache()} // it reads next to nothing: only files of the same sizes
	shared, err := hasher.Shared(ctx, set.Root, picturesOf(set), c.Metadata.Files)
	if err != nil {
		return "", fmt.Errorf("comparing %s with what %s was trained on: %w", set.Name, c.Path, err)
	}
	if len(shared) == 0 {
		return "", nil
	}
	names := make([]string, len(shared))
	for i, path := range shared {
		names[i] = set.Relative(path)
	}
	return fmt.Sprintf("%s was trained on %s, which holds %d of the %d pictures of %s: %s",
		c.Path, c.Metadata.Auxiliary, len(shared), len(set.Items), set.Name, plural.Few(names)), nil
}

// checkpointsOf gives the checkpoints that score a target, read once each.
func (o *evalOptions) checkpointsOf(p *evalPlan, target string) ([]*engine.Trained, error) {
	paths := o.checkpoints
	if len(paths) == 0 {
		auxiliary, paired := p.loaded.Config.Data.AuxiliaryOf(target)
		paths = p.loaded.Config.Checkpoints[auxiliary]
		switch {
		case !paired:
			return nil, usagef("no checkpoint for %s: give --checkpoint FILE (`acdclip train` makes one), or data.pairing and checkpoints in a configuration", target)
		case len(paths) == 0:
			return nil, usagef("no checkpoint for %s: data.pairing gives it the auxiliary dataset %s, and checkpoints.%s is empty", target, auxiliary, auxiliary)
		}
	}
	var list []*engine.Trained
	for _, path := range paths {
		c, err := p.checkpoint(path)
		if err != nil {
			return nil, err
		}
		for _, other := range list {
			if absolutePath(other.Path) == absolutePath(c.Path) {
				return nil, usagef("%s has the checkpoint %s twice", target, path)
			}
		}
		list = append(list, c)
	}
	return list, nil
}

func (p *evalPlan) checkpoint(path string) (*engine.Trained, error) {
	for _, known := range p.checkpoints {
		if known.Path == path {
			return known, nil
		}
	}
	trained, err := engine.ReadTrained(path, p.loaded)
	if err != nil {
		return nil, err
	}
	p.checkpoints = append(p.checkpoints, &trained)
	return &trained, nil
}

// trainedOn says whether the checkpoint was trained on the dataset of that name.
func trainedOn(c *engine.Trained, name string) bool {
	return data.SameDataset(c.Metadata.Auxiliary, name)
}

// sharedPrompts are the class names that the checkpoint was trained with and the dataset has too.
func sharedPrompts(c *engine.Trained, set *data.Dataset) []string {
	return slices.DeleteFunc(promptNames(set), func(name string) bool { return !slices.Contains(c.Metadata.Prompts, name) })
}

// sameSize refuses checkpoints whose pixel metrics would not compare.
func (p *evalPlan) sameSize() error {
	first := p.checkpoints[0]
	for _, c := range p.checkpoints[1:] {
		if c.Model.ImageSize != first.Model.ImageSize {
			return usagef("%s works at %d pixels and %s at %d, so their pixel metrics do not compare; give one size with --set model.image_size=N",
				first.Path, first.Model.ImageSize, c.Path, c.Model.ImageSize)
		}
	}
	return nil
}
