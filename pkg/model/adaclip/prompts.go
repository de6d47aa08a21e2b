package adaclip

import (
	"strings"

	"acdclip/pkg/model/prompt"
)

// prompts are the released code's.
var prompts = prompt.Ensemble{
	Templates: []string{"a bad photo of a {}.", "a low resolution photo of the {}.", "a bad photo of the {}.", "a cropped photo of the {}."},
	Phrases: [prompt.States][]string{
		prompt.Normal: {
			"{}", "flawless {}", "perfect {}", "unblemished {}", "{} without flaw", "{} without defect", "{} without damage",
		},
		prompt.Abnormal: {"damaged {}", "broken {}", "{} with flaw", "{} with defect", "{} with damage"},
	},
}

// tokenize returns the token ids of each state's prompts for a class. Hyphens in its name
// are read as spaces, underscores are kept, as in the released code.
func (m *Model) tokenize(name string) (rows [prompt.States][][]int32) {
	name = strings.ReplaceAll(name, "-", " ")
	for state := range rows {
		rows[state] = prompt.Tokenize(m.clip.Text, m.tokenizer, prompts.Texts(name, state))
	}
	return rows
}
