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

// Zero-shot means that nothing of the target was trained on. This file says where that
// does not hold.

// TrainedOn says whether the model was trained on the dataset of that name.
func (m *Model) TrainedOn(name string) bool {
	auxiliary := m.Metadata.Auxiliary
	if m.Metadata.ListHash == "" && (auxiliary == checkpoint.Unknown || auxiliary == NoAuxiliary) {
		return false // the word, and not a dataset that is called so
	}
	return data.SameDataset(auxiliary, name)
}

// Leak says in words that the model was trained on the very dataset, or on files that are
// identical to some of it; "" where it was not, as far as is known.
func (m *Model) Leak(ctx context.Context, set *data.Dataset) (string, error) {
	if m.TrainedOn(set.Name) || set.Benchmark != nil && m.TrainedOn(set.Benchmark.Key) {
		return fmt.Sprintf("%s was trained on %s itself (as %s)", m.Path, set.Name, m.Metadata.Auxiliary), nil
	}
	if m.Metadata.Files.Len() == 0 {
		return "", nil
	}
	hasher := contents.Hasher{Cache: contents.DefaultCache()} // it reads next to nothing: only files of the same sizes
	shared, err := hasher.Shared(ctx, set.Root, set.PictureFiles(), m.Metadata.Files)
	if err != nil {
		return "", fmt.Errorf("comparing %s with what %s was trained on: %w", set.Name, m.Path, err)
	}
	if len(shared) == 0 {
		return "", nil
	}
	names := make([]string, len(shared))
	for i, path := range shared {
		names[i] = set.Relative(path)
	}
	return fmt.Sprintf("%s was trained on %s, which holds %d of the %d pictures of %s: %s",
		m.Path, m.Metadata.Auxiliary, len(shared), len(set.Items), set.Name, plural.Few(names)), nil
}

// SharedPrompts are the class names that the model was trained with and the dataset has too.
func (m *Model) SharedPrompts(set *data.Dataset) []string {
	return slices.DeleteFunc(set.PromptNames(), func(name string) bool { return !slices.Contains(m.Metadata.Prompts, name) })
}
