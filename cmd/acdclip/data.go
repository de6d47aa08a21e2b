package main

import "github.com/spf13/cobra"

func newDataCommand(a *app) *cobra.Command {
	command := &cobra.Command{
		Use:   "data",
		Short: "Make datasets",
		Args:  subcommandArgs,
		RunE:  showHelp,

		DisableFlagsInUseLine: true,
	}
	command.AddCommand(newSynthCommand(a, runSynth))
	return command
}
