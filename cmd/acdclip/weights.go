package main

import "github.com/spf13/cobra"

func newWeightsCommand(a *app) *cobra.Command {
	command := &cobra.Command{
		Use:   "weights",
		Short: "Download and inspect weights, make a tiny CLIP",
		Args:  subcommandArgs,
		RunE:  showHelp,

		DisableFlagsInUseLine: true,
	}
	command.AddCommand(newWeightsListCommand(a), newFetchCommand(a), newInspectCommand(a), newInitCommand(a))
	return command
}
