package acdclip

import "strings"

// The states of a class, by their index everywhere.
const (
	normal   = 0
	abnormal = 1
	states   = 2
)

// Prompt templates (AA-CLIP's, which the paper uses). Each phrase of a state is inserted
// into each template; {} in a phrase is the class's prompt name.
var (
	templates = []string{"{}.", "a photo of {}."}
	phrases   = [states][]string{
		normal:   {"{}", "a {}", "the {}"},
		abnormal: {"a damaged {}", "a broken {}", "a {} with flaw", "a {} with defect", "a {} with damage"},
	}
)

// prompts lists a class's prompts of one state, in the order of phrases, then templates.
func prompts(name string, state int) []string {
	var texts []string
	for _, phrase := range phrases[state] {
		for _, template := range templates {
			text := strings.ReplaceAll(template, "{}", phrase)
			texts = append(texts, strings.ReplaceAll(text, "{}", name))
		}
	}
	return texts
}
