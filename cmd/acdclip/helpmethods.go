package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"acdclip/pkg/published"
)

// newMethodsTopic is a page of help that lists the methods.
func newMethodsTopic(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "methods",
		Short: "The anomaly detection methods, and how each was checked",
		Long: `Choose a method with --method NAME and one of its presets with --preset NAME. A
checkpoint names its method, so --method is needed only without one. All methods
read the same datasets and give the same files. "acdclip help settings --method
NAME" lists the settings of a method. To compare methods in one table, see
configs/table1.yaml.

` + a.methodList(),
	}
}

// methodList describes each method: what it needs, its presets, and what was checked.
func (a *app) methodList() string {
	var list []string
	for _, method := range a.methods.Cards() {
		needs := "needs no checkpoint"
		if method.NeedsCheckpoint {
			needs = "needs a checkpoint"
		}
		training := "learns nothing"
		if method.Learns {
			training = "can be trained with acdclip train"
		}
		weights := ""
		if names := append(a.published.MadeFor(method.Name, published.CLIP), a.published.MadeFor(method.Name, published.Checkpoint)...); names != nil {
			weights = "Published weights to download: acdclip weights fetch " + strings.Join(names, " ")
		}
		lines := []string{fmt.Sprintf("%s (%s)", method.Name, method.Title)}
		for _, paragraph := range []string{
			method.Doc + ".", fmt.Sprintf("It %s and %s. Presets: %s.", needs, training, strings.Join(method.PresetNames(), ", ")), method.Long, weights,
		} {
			lines = append(lines, indented(paragraph)...)
		}
		list = append(list, strings.Join(lines, "\n"))
	}
	return strings.Join(list, "\n\n")
}

// indented breaks a text, whose line breaks end paragraphs, into lines of help with an indent.
func indented(text string) []string {
	const indent, width = "  ", 80
	var lines []string
	for paragraph := range strings.Lines(text) {
		line := indent
		for i, word := range strings.Fields(paragraph) {
			switch {
			case i == 0:
				line += word
			case len(line)+1+len(word) > width:
				lines, line = append(lines, line), indent+word
			default:
				line += " " + word
			}
		}
		lines = append(lines, line)
	}
	return lines
}
