package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newSettingsTopic is a page of help that lists every configuration key. The list
// is made when the page is shown, and not whenever the program starts.
func newSettingsTopic(a *app) *cobra.Command {
	topic := &cobra.Command{
		Use:   "settings",
		Short: "All configuration keys and how to set them",
		Long: `A key can be set in several ways; later ones in this list override earlier ones: the
preset; YAML files (--config, repeatable); environment variables; --set KEY=VALUE
(repeatable); other flags. configs/ has files to start from.

The keys below model and loss belong to the method. "acdclip help settings --method
NAME" lists those of another method.`,
	}
	topic.SetHelpFunc(func(command *cobra.Command, arguments []string) {
		command.Long += "\n\n" + a.settingsList(a.helpMethod)
		command.Parent().HelpFunc()(command, arguments)
	})
	return topic
}

// settingsList has, for each key, its meaning, what it takes, its default and its environment variable.
func (a *app) settingsList(method string) string {
	var list strings.Builder
	keys, _ := a.methods.Catalog().Keys(method) // the help command has checked the name
	for _, key := range keys {
		value := ""
		if key.Default != "" {
			value = "; default " + key.Default
		}
		fmt.Fprintf(&list, "%s\n    %s\n    %s%s; %s\n", key.Name, key.Doc, key.Wants, value, key.Env)
	}
	return strings.TrimSuffix(list.String(), "\n")
}
