package main

import "github.com/spf13/cobra"

func newDataCommand(a *app) *cobra.Command {
	command := &cobra.Command{
		Use:   "data",
		Short: "Find, check, list and draw datasets",
		Args:  subcommandArgs,
		RunE:  showHelp,

		DisableFlagsInUseLine: true,
	}
	command.AddCommand(
		newListCommand(a),
		newVerifyCommand(a),
		newIndexCommand(a),
		newSynthCommand(a),
	)
	return command
}
