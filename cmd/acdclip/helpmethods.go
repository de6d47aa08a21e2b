package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newMethodsTopic is a page of help that lists the methods.
func newMethodsTopic(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "methods",
		Short: "The anomaly detection methods, and how each was checked",
		Long: `Choose a method with --method NAME and one of its presets with --preset NAME. A
checkpoint names its method, so --method is needed only without one. All methods read
the same datasets and give the same files. "acdclip help settings --method NAME"
lists the settings of a method.

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
		text := fmt.Sprintf("%s (%s)\n  %s\n  %s; %s; presets: %s",
			method.Name, method.Title, method.Doc, needs, training, strings.Join(method.PresetNames(), ", "))
		for line := range strings.Lines(method.Long) {
			text += "\n  " + strings.TrimRight(line, "\n")
		}
		list = append(list, text)
	}
	return strings.Join(list, "\n\n")
}
