package main

import "github.com/spf13/cobra"

func newDataCommand(a *app) *cobra.Command {
	command := &cobra.Command{
		Use:   "data",
		Short: "List, verify, index and draw datasets",
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
