// Package pairing finds the models that score a dataset: which checkpoints of which
// configurations, and which of them were trained on the dataset. It is pure Go.
package pairing

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/model/card"
	"acdclip/pkg/published"
	"acdclip/pkg/trained"
)

// Errors of this package, wrapped with context. All mean a wrong configuration.
var (
	ErrNoCheckpoint = errors.New("no checkpoint")
	ErrTwice        = errors.New("is given twice")
	ErrLeak         = errors.New("the result would not be zero-shot")
	ErrCommonKey    = errors.New("has no effect in the file of a model that is compared; set it in the main configuration")
	ErrSizes        = errors.New("their pixel metrics are not strictly comparable; set one size with --set model.image_size=N")
)

// Entry is the configuration of one model, or of one of several that are compared.
type Entry struct {
	config.Loaded
	Name string // its key below models; "" for one alone
}

// modelKeys are what the file of a compared model may set. All else is common to the models.
func modelKeys() []string {
	return []string{"method", "preset", "clip", "clip_heads", "precision", "model", "loss", "checkpoints", "data.pairing"}
}

// CheckKeys returns an error that wraps ErrCommonKey for each key of the entry's file that
// would have no effect there.
func (e Entry) CheckKeys(file string) error {
	var wrong []error
	for _, key := range slices.Sorted(maps.Keys(e.Set)) {
		origin := e.Set[key]
		own := slices.ContainsFunc(modelKeys(), func(allowed string) bool { return key == allowed || strings.HasPrefix(key, allowed+".") })
		if !own && samePath(origin.File, file) {
			wrong = append(wrong, fmt.Errorf("%s: %s: %w", origin, key, ErrCommonKey))
		}
	}
	return e.In(errors.Join(wrong...))
}

// UnknownTargets says which keys of data.pairing name no dataset of the configuration: a
// name that is spelt otherwise pairs nothing.
func (e Entry) UnknownTargets() []string {
	var texts []string
	roots := slices.Sorted(maps.Keys(e.Config.Data.Roots))
	for _, target := range slices.Sorted(maps.Keys(e.Config.Data.Pairing)) {
		if target == config.AnyTarget || slices.Contains(roots, target) {
			continue
		}
		text := fmt.Sprintf("data.pairing.%s: no dataset of that name is given", target)
		if e.Name != "" {
			text = fmt.Sprintf("models.%s: %s", e.Name, text)
		}
		for _, name := range roots {
			if data.SameDataset(name, target) {
				text += fmt.Sprintf(" (did you mean %s?)", name)
				break
			}
		}
		texts = append(texts, text)
	}
	return texts
}

// In adds the entry's name to an error.
func (e Entry) In(err error) error {
	if err == nil || e.Name == "" {
		return err
	}
	return fmt.Errorf("models.%s: %w", e.Name, err)
}

func samePath(a, b string) bool {
	from, errA := filepath.Abs(a)
	to, errB := filepath.Abs(b)
	return errA == nil && errB == nil && from == to
}

// Models are the models of entries. Each file is read once.
type Models struct {
	Entries []Entry // at least one

	// Checkpoints, paths or names, if there are any, are those of all targets, in place of the ones that the
	// configurations pair with each target.
	Checkpoints []string
	// Read describes a checkpoint of one of the methods; nil means trained.Read.
	Read func(path string, methods card.List, c config.Loaded) (trained.Model, error)

	methods card.List
	read    map[file]*trained.Model
}

// file is a checkpoint as an entry uses it; without a path it is a method that needs none.
type file struct{ entry, path string }

// New returns the models of entries.
func New(entries []Entry, checkpoints []string, methods card.List) *Models {
	return &Models{Entries: entries, Checkpoints: checkpoints, Read: trained.Read, methods: methods, read: map[file]*trained.Model{}}
}

// Check reads the Checkpoints.
func (m *Models) Check() error {
	for _, path := range m.Checkpoints {
		if _, err := m.checkpoint(m.Entries[0], path); err != nil {
			return err
		}
	}
	return nil
}

// Of returns the models that score a target, in the order of the entries. The error joins
// those of all entries, so that they can be mended together.
func (m *Models) Of(target string) ([]*trained.Model, error) {
	var list []*trained.Model
	var errs []error
	for _, e := range m.Entries {
		each, err := m.of(e, target)
		errs = append(errs, e.In(err))
		list = append(list, each...)
	}
	return list, errors.Join(errs...)
}

// of returns the models of one entry that score a target.
func (m *Models) of(e Entry, target string) ([]*trained.Model, error) {
	paths, auxiliary := m.Checkpoints, ""
	if len(paths) == 0 {
		var paired bool
		if auxiliary, paired = e.Config.Data.AuxiliaryOf(target); e.Card.Learns {
			paths = e.Config.Checkpoints[auxiliary]
		}
		untrained := !e.Card.Learns || len(e.Config.Checkpoints) == 0 && !e.Card.Needs(e.Config.Model)
		switch {
		case len(paths) > 0:
		case untrained:
			model, err := m.once(file{e.Name, ""}, func() (trained.Model, error) { return trained.Untrained(e.Loaded) })
			if err != nil {
				return nil, err
			}
			return []*trained.Model{model}, nil
		case !paired && len(e.Config.Checkpoints) > 0:
			return nil, fmt.Errorf("%w for %s: there are checkpoints for %s, but data.pairing pairs %s with none of them; add %s or \"*\" to data.pairing", ErrNoCheckpoint, target,
				strings.Join(slices.Sorted(maps.Keys(e.Config.Checkpoints)), ", "), target, target)
		case !paired && e.Name != "":
			return nil, fmt.Errorf("%w for %s: set checkpoints and data.pairing in the model's file, or a method that needs none", ErrNoCheckpoint, target)
		case !paired:
			return nil, fmt.Errorf("%w for %s: give --checkpoint FILE (from `acdclip train`%s), or set data.pairing and checkpoints in a configuration file; without --clip the small built-in model is used, and --method winclip needs no checkpoint", ErrNoCheckpoint, target, published.All().Hint(e.Config.Method))
		default:
			return nil, fmt.Errorf("%w for %s: data.pairing pairs it with the auxiliary dataset %s, but checkpoints.%s is empty", ErrNoCheckpoint, target, auxiliary, auxiliary)
		}
	}
	var list []*trained.Model
	for _, path := range paths {
		model, err := m.checkpoint(e, path)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(other *trained.Model) bool { return other.Path == model.Path || samePath(other.Path, path) }) {
			return nil, fmt.Errorf("%s: the checkpoint %s %w", target, path, ErrTwice)
		}
		model.SetAuxiliary(auxiliary)
		list = append(list, model)
	}
	return list, nil
}

func (m *Models) checkpoint(e Entry, path string) (*trained.Model, error) {
	return m.once(file{e.Name, path}, func() (trained.Model, error) { return m.Read(path, m.methods, e.Loaded) })
}

// once reads a model unless it has been read.
func (m *Models) once(f file, read func() (trained.Model, error)) (*trained.Model, error) {
	if known := m.read[f]; known != nil {
		return known, nil
	}
	model, err := read()
	if err != nil {
		return nil, err
	}
	model.Source.Model = f.entry
	m.read[f] = &model
	return &model, nil
}

// Unseen splits the models of a target by whether they were trained on it, as far as their
// datasets' names tell.
func Unseen(models []*trained.Model, target string) (unseen, seen []*trained.Model) {
	for _, m := range models {
		if m.TrainedOn(target) {
			seen = append(seen, m)
		} else {
			unseen = append(unseen, m)
		}
	}
	return unseen, seen
}

// Leak reports whether a model was trained on any part of a dataset. Unless that is
// allowed, it is an error that wraps ErrLeak.
func Leak(ctx context.Context, m *trained.Model, set *data.Dataset, allowed bool) (bool, error) {
	leak, err := m.Leak(ctx, set)
	if err != nil || leak == "" {
		return false, err
	}
	if !allowed {
		return true, fmt.Errorf("%s, so %w; --allow-leak scores it anyway", leak, ErrLeak)
	}
	return true, nil
}

// CheckSizes returns an error that wraps ErrSizes if models work at different sizes.
func CheckSizes(models []*trained.Model) error {
	for _, m := range models {
		if first := models[0]; m.Options.Input().Size != first.Options.Input().Size {
			return fmt.Errorf("%s works at %d pixels and %s at %d, so %w", first.Name(), first.Options.Input().Size, m.Name(), m.Options.Input().Size, ErrSizes)
		}
	}
	return nil
}
