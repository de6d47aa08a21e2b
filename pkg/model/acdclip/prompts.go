package acdclip

import "acdclip/pkg/model/prompt"

// The states of a class, by their index everywhere.
const (
	normal   = prompt.Normal
	abnormal = prompt.Abnormal
	states   = prompt.States
)

// prompts are AA-CLIP's, which the paper uses.
var prompts = prompt.Ensemble{
	Templates: []string{"{}.", "a photo of {}."},
	Phrases: [states][]string{
		normal:   {"{}", "a {}", "the {}"},
		abnormal: {"a damaged {}", "a broken {}", "a {} with flaw", "a {} with defect", "a {} with damage"},
	},
}
