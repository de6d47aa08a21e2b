package pretrained

import (
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/weights"
)

// anchors are tensors of a vision tower: where one lies under a longer name, what stands before it wraps the model.
func anchors() []string {
	return []string{
		"visual.conv1.weight", "visual.class_embedding", "visual.positional_embedding", "visual.proj",
		"vision_model.embeddings.class_embedding", "vision_model.embeddings.patch_embedding.weight",
		"visual.trunk.patch_embed.proj.weight", "visual.patch_embed.proj.weight",
	}
}

// wrappers are the names under which training programs keep a model: in a
// dictionary beside the optimiser's state, in a module around it, or both.
func wrappers() []string {
	return []string{
		"state_dict", "model_state_dict", "model_state", "model", "module", "_orig_mod", "clip", "clip_model",
		"net", "network", "weights", "params", "student", "ema", "model_ema", "state_dict_ema", "ema_state_dict",
	}
}

// namedTensor is a tensor under the name that it has without what wraps the model.
type namedTensor struct {
	name   string
	tensor *weights.Tensor
}

// unwrap finds the part of a file's names that wraps the model, "" for none, and
// lists the tensors inside.
func unwrap(file *weights.File) (prefix string, inside []namedTensor, err error) {
	var prefixes []string
	for _, t := range file.Tensors {
		for _, anchor := range anchors() {
			before, found := strings.CutSuffix(t.Name, anchor)
			if found && (before == "" || strings.HasSuffix(before, ".")) && !slices.Contains(prefixes, before) {
				if prefixes = append(prefixes, before); len(prefixes) > 8 {
					return "", nil, fmt.Errorf("the file holds more than 8 CLIPs: %w", ErrNotCLIP)
				}
			}
		}
	}
	switch {
	case len(prefixes) > 1:
		slices.Sort(prefixes)
		return "", nil, fmt.Errorf("the file holds several CLIPs, under the names %.100q and %.100q: save one of them alone: %w", prefixes[0], prefixes[1], ErrNotCLIP)
	case len(prefixes) == 1:
		prefix = prefixes[0]
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(prefix, "."), ".") {
		if prefix != "" && !slices.Contains(wrappers(), segment) {
			return "", nil, fmt.Errorf("the tensors of a CLIP lie under the name %.100q, which is not known to hold a whole one: save its state dict alone: %w", prefix, ErrNotCLIP)
		}
	}
	for _, t := range file.Tensors {
		switch name, ok := strings.CutPrefix(t.Name, prefix); {
		case ok:
			inside = append(inside, namedTensor{name, t})
		case strings.HasPrefix(prefix, "clip"): // a part of a larger model, and no training's file
			return "", nil, fmt.Errorf("the file holds more than a CLIP: the tensor %.200q lies beside those under %q: %w", t.Name, prefix, ErrNotCLIP)
		}
	}
	return prefix, inside, nil
}
