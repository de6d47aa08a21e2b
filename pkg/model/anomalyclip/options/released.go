package options

import (
	"fmt"
	"maps"
	"slices"

	"acdclip/pkg/model/card"
)

// The method's parameters.
const (
	WordsNormal   = "text.words.normal"   // learned words [1, 1, E, D]
	WordsAbnormal = "text.words.abnormal" // learned words [1, 1, E, D]
)

// Deep is the name of H_i [t, D], the deep tokens of text block i+2.
func Deep(i int) string { return fmt.Sprintf("text.deep.%d", i) }

// The copies of CLIP's token embeddings in the authors' files.
const (
	PrefixNormal   = "clip.prefix.normal"   // of the start token [1, 1, 1, D]
	PrefixAbnormal = "clip.prefix.abnormal" // of the start token [1, 1, 1, D]
	SuffixNormal   = "clip.suffix.normal"   // of the tokens after the words [1, 1, context-1-E, D]
	SuffixAbnormal = "clip.suffix.abnormal" // of the tokens after the words [1, 1, context-1-E, D]
)

// learner is the prefix of all tensor names in the authors' files.
const learner = "prompt_learner."

// releasedNames are the names in the authors' files by ours, without the deep tokens.
func releasedNames() map[string]string {
	return map[string]string{
		WordsNormal: learner + "ctx_pos", WordsAbnormal: learner + "ctx_neg",
		PrefixNormal: learner + "token_prefix_pos", PrefixAbnormal: learner + "token_prefix_neg",
		SuffixNormal: learner + "token_suffix_pos", SuffixAbnormal: learner + "token_suffix_neg",
	}
}

func releasedDeep(i int) string { return fmt.Sprintf("%scompound_prompts_text.%d", learner, i) }

// released recognises an epoch_N.pth of the authors' code. Its options are the preset's
// with the sizes taken from the tensors' shapes. Tensors that are missing are left out of
// Names.
func released(file card.File) (*card.Released, error) {
	names := releasedNames()
	words, found := file.Shapes[names[WordsNormal]]
	if !found {
		return nil, nil
	}
	if len(words) != 4 || words[0] != 1 || words[1] != 1 {
		return nil, fmt.Errorf("tensor %s has shape %v, expected [1, 1, E, D]", names[WordsNormal], words)
	}
	model := releasedModel()
	model.Words = int(words[2])
	model.Depth = 1
	for file.Shapes[releasedDeep(model.Depth-1)] != nil {
		names[Deep(model.Depth-1)] = releasedDeep(model.Depth - 1)
		model.Depth++
	}
	model.Tokens = min(model.Tokens, model.Words)
	if model.Depth > 1 {
		deep := file.Shapes[releasedDeep(0)]
		if len(deep) != 2 {
			return nil, fmt.Errorf("tensor %s has shape %v, expected [t, D]", releasedDeep(0), deep)
		}
		model.Tokens = int(deep[0])
	}
	maps.DeleteFunc(names, func(_, name string) bool { return file.Shapes[name] == nil })
	unused, err := releasedUnused(file, model.Depth, words[3])
	if err != nil {
		return nil, err
	}
	return &card.Released{Preset: Released, Model: &model, Loss: new(releasedLoss()), Names: names, Unused: unused}, nil
}

// releasedUnused lists the tensors that the authors' code stores and does not use: the
// prompts' token ids, and the projections of the deep tokens, [n, D] and [n].
func releasedUnused(file card.File, depth int, width int64) ([]string, error) {
	var unused []string
	for _, name := range []string{learner + "tokenized_prompts_pos", learner + "tokenized_prompts_neg"} {
		if file.Shapes[name] != nil {
			unused = append(unused, name)
		}
	}
	for i := range depth - 1 {
		projection := fmt.Sprintf("%scompound_prompt_projections.%d.", learner, i)
		weight, bias := file.Shapes[projection+"weight"], file.Shapes[projection+"bias"]
		if weight == nil && bias == nil {
			continue
		}
		if len(weight) != 2 || weight[1] != width || !slices.Equal(bias, weight[:1]) {
			return nil, fmt.Errorf("tensors %sweight and bias have shapes %v and %v, expected [n, %d] and [n]", projection, weight, bias, width)
		}
		unused = append(unused, projection+"weight", projection+"bias")
	}
	return unused, nil
}
