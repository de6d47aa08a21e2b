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
(repeatable); other flags. configs/ has both presets as files to start from.`,
	}
	topic.SetHelpFunc(func(command *cobra.Command, arguments []string) {
		command.Long += "\n\n" + a.settingsList()
		command.Parent().HelpFunc()(command, arguments)
	})
	return topic
}

// settingsList has, for each key, its meaning, what it takes, its default and its environment variable.
func (a *app) settingsList() string {
	var list strings.Builder
	keys, _ := a.methods.Catalog().Keys("") // the default method is known
	for _, key := range keys {
		value := ""
		if key.Default != "" {
			value = "; default " + key.Default
		}
		fmt.Fprintf(&list, "%s\n    %s\n    %s%s; %s\n", key.Name, key.Doc, key.Wants, value, key.Env)
	}
	return strings.TrimSuffix(list.String(), "\n")
}
