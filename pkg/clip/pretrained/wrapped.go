package pretrained

import (
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/weights"
)

// anchors returns names of vision tower tensors. If the file has one with a prefix, that prefix is of a wrapped model.
func anchors() []string {
	return []string{
		"visual.conv1.weight", "visual.class_embedding", "visual.positional_embedding", "visual.proj",
		"vision_model.embeddings.class_embedding", "vision_model.embeddings.patch_embedding.weight",
		"visual.trunk.cls_token", "visual.trunk.pos_embed", "visual.trunk.patch_embed.proj.weight", "visual.patch_embed.proj.weight",
		"visual.trunk.stem.0.weight", "visual.trunk.stem.0.conv_kxk.0.conv.weight",
	}
}

// wrappers returns the prefixes that training programs add to a model's names: a key in a
// dictionary beside the optimiser's state, a module around the model, or both.
func wrappers() []string {
	return []string{
		"state_dict", "model_state_dict", "model_state", "model", "module", "_orig_mod", "clip", "clip_model",
		"net", "network", "weights", "params", "student", "ema", "model_ema", "state_dict_ema", "ema_state_dict",
	}
}

// namedTensor is a tensor with its name without the wrapper's prefix.
type namedTensor struct {
	name   string
	tensor *weights.Tensor
}

// unwrap returns the prefix of a wrapped model in a file, "" for none, and the model's
// tensors.
func unwrap(file *weights.File) (prefix string, inside []namedTensor, err error) {
	var prefixes []string
	for _, t := range file.Tensors {
		for _, anchor := range anchors() {
			before, found := strings.CutSuffix(t.Name, anchor)
			if found && (before == "" || strings.HasSuffix(before, ".")) && !slices.Contains(prefixes, before) {
				if prefixes = append(prefixes, before); len(prefixes) > 8 {
					return "", nil, fmt.Errorf("the file contains more than 8 CLIPs: %w", ErrNotCLIP)
				}
			}
		}
	}
	switch {
	case len(prefixes) > 1:
		slices.Sort(prefixes)
		return "", nil, fmt.Errorf("the file contains several CLIPs, under the names %.100q and %.100q; save one of them in its own file: %w", prefixes[0], prefixes[1], ErrNotCLIP)
	case len(prefixes) == 1:
		prefix = prefixes[0]
	default: // no CLIP; the names without the usual prefix tell which model it is
		prefix = trainingPrefix(file)
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(prefix, "."), ".") {
		if prefix != "" && !slices.Contains(wrappers(), segment) {
			return "", nil, fmt.Errorf("the file contains tensors of a CLIP under the unknown name %.100q; save the state dict of the CLIP alone: %w", prefix, ErrNotCLIP)
		}
	}
	for _, t := range file.Tensors {
		switch name, ok := strings.CutPrefix(t.Name, prefix); {
		case ok:
			inside = append(inside, namedTensor{name, t})
		case strings.HasPrefix(prefix, "clip"): // part of a larger model, not the file of a training program
			return "", nil, fmt.Errorf("the file contains more than a CLIP: the tensor %.200q does not belong to the CLIP under %q: %w", t.Name, prefix, ErrNotCLIP)
		}
	}
	return prefix, inside, nil
}

// trainingPrefix returns the prefix of names in open_clip's training files as far as a file has it.
func trainingPrefix(file *weights.File) (prefix string) {
	for _, part := range []string{"state_dict.", "module."} {
		if slices.ContainsFunc(file.Tensors, func(t *weights.Tensor) bool { return strings.HasPrefix(t.Name, prefix+part) }) {
			prefix += part
		}
	}
	return prefix
}
