// Package prompt holds what methods share on the text side: ensembles of prompts, their
// embeddings, and the text features of a list of classes.
package prompt

import (
	"context"
	"fmt"
	"strings"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
)

// The states of a class, by their index everywhere.
const (
	Normal   = 0
	Abnormal = 1
	States   = 2
)

// Ensemble is a set of prompts for each state: every phrase of the state in every template.
// {} in a phrase stands for the class's prompt name, and {} in a template for the phrase.
type Ensemble struct {
	Phrases   [States][]string
	Templates []string
}

// Texts lists a class's prompts of one state, in the order of phrases, then templates.
func (e Ensemble) Texts(name string, state int) []string {
	var texts []string
	for _, phrase := range e.Phrases[state] {
		for _, template := range e.Templates {
			text := strings.ReplaceAll(template, "{}", phrase)
			texts = append(texts, strings.ReplaceAll(text, "{}", name))
		}
	}
	return texts
}

// Tokenize returns the token ids of prompts, one row of the tower's Context ids for each.
func Tokenize(tower *clip.Text, by *tokenizer.Tokenizer, texts []string) [][]int32 {
	rows := make([][]int32, len(texts))
	for i, text := range texts {
		rows[i] = by.Encode(text, tower.Context)
	}
	return rows
}

// Embed returns CLIP's embeddings [P, E] of P prompts, not normalised. They belong to s.
func Embed(ctx context.Context, s *torch.Scope, tower *clip.Text, rows [][]int32) (torch.Tensor, error) {
	var embeddings torch.Tensor
	err := s.Within(func(inner *torch.Scope) error {
		prompts := clip.NewPrompts(inner, rows)
		x := inner.Eval(func() torch.Tensor { return tower.Embed(prompts) })
		for i := range tower.Depth {
			if err := ctx.Err(); err != nil {
				return err
			}
			x = inner.Step(x, func(x torch.Tensor) torch.Tensor { return tower.Block(inner, i, x) })
		}
		embeddings = s.Keep(tower.Head(prompts.Ends(x)))
		return nil
	})
	return embeddings, err
}

// addedTokens is the maximum number of tokens that a vocabulary may have in addition to
// those of CLIP's tokenizer. Users may add a few; another tokenizer has many more.
const addedTokens = 1024

// CheckVocabulary returns an error if the CLIP was trained with another tokenizer.
func CheckVocabulary(arch pretrained.Arch) error {
	if arch.HashedTokens > 0 {
		return nil // cut from CLIP's
	}
	if arch.VocabSize < tokenizer.VocabularySize || arch.VocabSize > tokenizer.VocabularySize+addedTokens {
		return fmt.Errorf("this CLIP was trained with another tokenizer: its vocabulary has %d tokens, expected %d; use one with CLIP's own tokenizer, such as ViT-B-16, ViT-L-14 or ViT-H-14 of OpenAI, LAION or DataComp", arch.VocabSize, tokenizer.VocabularySize)
	}
	return nil
}
