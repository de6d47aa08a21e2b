package options

import (
	"fmt"
	"slices"

	"acdclip/pkg/config/section"
)

// Contradictions lists combinations of valid options that are invalid together.
func (m *Model) Contradictions() []*section.Error {
	var found []*section.Error
	if m.Depth > 1 && m.Tokens > m.Words {
		found = append(found, &section.Error{
			Key:     "model.tokens",
			Problem: fmt.Sprintf("is %d, more than model.words %d: deep tokens would replace other parts of the prompts than the learned words; raise model.words or lower model.tokens", m.Tokens, m.Words),
			Related: []string{"model.words", "preset"},
		})
	}
	for i, level := range m.Levels {
		if slices.Contains(m.Levels[:i], level) {
			found = append(found, &section.Error{Key: "model.levels", Problem: fmt.Sprintf("lists block %d twice", level)})
			break
		}
	}
	return found
}

// Contradictions returns nil.
func (l *Loss) Contradictions() []*section.Error { return nil }
