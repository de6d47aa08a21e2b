package trained

import (
	"context"
	"fmt"
	"slices"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/contents"
	"acdclip/pkg/data"
	"acdclip/pkg/plural"
)

// Zero-shot means that the model was not trained on any part of the target. This file
// detects violations.

// TrainedOn reports whether the model was trained on the dataset with that name.
func (m *Model) TrainedOn(name string) bool {
	same := func(other string) bool { return other != checkpoint.Unknown && data.SameDataset(other, name) }
	if slices.ContainsFunc(m.Metadata.Earlier, same) {
		return true
	}
	auxiliary := m.Metadata.Auxiliary
	if m.Metadata.ListHash == "" && (auxiliary == checkpoint.Unknown || auxiliary == NoAuxiliary) {
		return false // the placeholder, not a dataset with that name
	}
	if data.SameDataset(auxiliary, name) {
		return true
	}
	for of, companions := range m.Companions {
		if data.SameDataset(auxiliary, of) && slices.ContainsFunc(companions, same) {
			return true
		}
	}
	return false
}

// SetAuxiliary names the dataset that a checkpoint was trained on, if it does not say so
// itself, as the files of methods' authors do not.
func (m *Model) SetAuxiliary(name string) {
	if m.Path != "" && m.Metadata.Auxiliary == checkpoint.Unknown && name != "" {
		m.Metadata.Auxiliary, m.Source.Auxiliary = name, name
	}
}

// Leak describes how the model was trained on the dataset itself or on files identical to
// some of its pictures; "" if it was not, as far as the checkpoint's metadata shows.
func (m *Model) Leak(ctx context.Context, set *data.Dataset) (string, error) {
	if m.TrainedOn(set.Name) || set.Benchmark != nil && m.TrainedOn(set.Benchmark.Key) {
		if with := m.Metadata.Auxiliary; !data.SameDataset(with, set.Name) && (set.Benchmark == nil || !data.SameDataset(with, set.Benchmark.Key)) {
			return fmt.Sprintf("%s was trained on %s itself, together with %s", m.Path, set.Name, with), nil
		}
		return fmt.Sprintf("%s was trained on %s itself (as %s)", m.Path, set.Name, m.Metadata.Auxiliary), nil
	}
	if m.Metadata.Files.Len() == 0 {
		return "", nil
	}
	hasher := contents.Hasher{Cache: contents.DefaultCache()} // fast: it reads only files whose sizes match
	shared, err := hasher.Shared(ctx, set.Root, set.PictureFiles(), m.Metadata.Files)
	if err != nil {
		return "", fmt.Errorf("comparing %s with the training pictures of %s: %w", set.Name, m.Path, err)
	}
	if len(shared) == 0 {
		return "", nil
	}
	names := make([]string, len(shared))
	for i, path := range shared {
		names[i] = set.Relative(path)
	}
	return fmt.Sprintf("%s was trained on %s, which contains %d of the %d pictures of %s: %s",
		m.Path, m.Metadata.Auxiliary, len(shared), len(set.Items), set.Name, plural.Few(names)), nil
}

// SharedPrompts lists the dataset's class names that the model was also trained with.
func (m *Model) SharedPrompts(set *data.Dataset) []string {
	return slices.DeleteFunc(set.PromptNames(), func(name string) bool { return !slices.Contains(m.Metadata.Prompts, name) })
}
