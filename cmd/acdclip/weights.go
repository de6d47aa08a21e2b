package main

import "github.com/spf13/cobra"

func newWeightsCommand(a *app) *cobra.Command {
	command := &cobra.Command{
		Use:   "weights",
		Short: "Inspect weight files, make a tiny CLIP",
		Args:  subcommandArgs,
		RunE:  showHelp,

		DisableFlagsInUseLine: true,
	}
	command.AddCommand(newInspectCommand(a), newInitCommand(a))
	return command
}
