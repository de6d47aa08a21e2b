package detect

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"acdclip/cgo/torch"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
)

// class identifies a class by its prompt name and domain.
type class struct {
	prompt string
	of     domain.Domain
}

// keptClass is what a method prepared for one class, in a scope of its own.
type keptClass struct {
	scope    *torch.Scope
	prepared model.Prepared
	used     uint64 // larger is later
}

// keptClasses are the classes that are prepared.
type keptClasses map[class]*keptClass

// use marks the classes of a list as used last, one after the other.
func (k keptClasses) use(classes domain.Classes) {
	var last uint64
	for _, kept := range k {
		last = max(last, kept.used)
	}
	for _, prompt := range classes.Prompts {
		if kept := k[class{prompt, classes.Domain}]; kept != nil {
			last++
			kept.used = last
		}
	}
}

// keep frees those classes that were not used for the longest time, until at most limit are
// left.
func (k keptClasses) keep(limit int) {
	oldest := slices.SortedFunc(maps.Keys(k), func(a, b class) int { return cmp.Compare(k[a].used, k[b].used) })
	for _, key := range oldest[:max(0, len(k)-limit)] {
		_ = k[key].scope.Close() // fails only if the Runtime is already closed
		delete(k, key)
	}
}

// joined caches what was prepared for the last list of classes.
type joined struct {
	classes  domain.Classes
	scope    *torch.Scope
	prepared model.Prepared
}

func (j *joined) close() {
	if j.scope != nil {
		_ = j.scope.Close() // fails only if the Runtime is already closed
	}
	*j = joined{}
}

// Prepare computes the method's text features for the classes. Each class is computed once
// and kept until the Detector is closed, or until Options.MaxClasses others were used since.
func (d *Detector) Prepare(ctx context.Context, classes domain.Classes) error {
	_, err := d.prepare(ctx, classes)
	return err
}

// prepare returns what the method prepared for a list of classes.
func (d *Detector) prepare(ctx context.Context, classes domain.Classes) (model.Prepared, error) {
	last := &d.joined
	if last.scope != nil && last.classes.Domain == classes.Domain && slices.Equal(last.classes.Prompts, classes.Prompts) {
		return last.prepared, nil
	}
	last.close()
	next := joined{classes: domain.Classes{Prompts: slices.Clone(classes.Prompts), Domain: classes.Domain}, scope: d.backbone.Runtime.NewScope()}
	err := d.backbone.Runtime.Do(ctx, func(s *torch.Scope) error {
		return s.Inference(func() error {
			parts := make([]model.Prepared, len(classes.Prompts))
			for i, prompt := range classes.Prompts {
				kept, err := d.prepareClass(ctx, class{prompt, classes.Domain})
				if err != nil {
					return err
				}
				parts[i] = kept.prepared
			}
			d.kept.use(classes)
			if d.maxClasses > 0 {
				d.kept.keep(max(d.maxClasses, len(parts)))
			}
			var err error
			next.prepared, err = d.method.Join(next.scope, parts)
			return err
		})
	})
	if err != nil {
		next.close()
		return nil, fmt.Errorf("preparing prompts: %w", err)
	}
	d.joined = next
	return next.prepared, nil
}

// prepareClass prepares a class, unless it is kept.
func (d *Detector) prepareClass(ctx context.Context, key class) (*keptClass, error) {
	if kept := d.kept[key]; kept != nil {
		return kept, nil
	}
	kept := &keptClass{scope: d.backbone.Runtime.NewScope()}
	var err error
	if kept.prepared, err = d.method.Prepare(ctx, kept.scope, domain.Classes{Prompts: []string{key.prompt}, Domain: key.of}); err != nil {
		_ = kept.scope.Close() // fails only if the Runtime is already closed
		return nil, err
	}
	d.kept[key] = kept
	return kept, nil
}
