package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/engine"
)

// runConfig lists the configuration file of a run folder, if it is there.
func runConfig(folder string) []string {
	path := filepath.Join(folder, configFile)
	if !exists(path) {
		return nil
	}
	return []string{path}
}

// settle finds out what is to be done: the configuration, and the state to go on
// from, nil where the run begins. It refuses a folder that cannot be used so.
func (o *trainOptions) settle() (config.Config, *checkpoint.State, error) {
	if o.resume && o.overwrite {
		return config.Config{}, nil, usagef("--resume keeps the run that is there and --overwrite replaces it: give one of them")
	}
	loaded, err := o.configuration()
	if err != nil {
		return loaded.Config, nil, err
	}
	files := runFiles(o.out)
	if !o.resume {
		return loaded.Config, nil, files.check(o.overwrite)
	}
	state, err := checkpoint.ReadState(filepath.Join(o.out, engine.StateFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return loaded.Config, nil, o.checkBeginning(files)
	case err != nil:
		return loaded.Config, nil, fmt.Errorf("%w; without a whole state the run cannot be resumed: --overwrite begins again", err)
	}
	for _, path := range runConfig(o.out) {
		begun, err := config.Load(config.Sources{Files: []string{path}})
		if err == nil {
			err = config.CheckResume(begun.Config, loaded)
		}
		if err != nil {
			return loaded.Config, nil, err
		}
	}
	if done := state.Metadata.Epoch; done > loaded.Config.Train.Epochs {
		return loaded.Config, nil, usagef("train.epochs is %d, and the run in %s has finished %d already", loaded.Config.Train.Epochs, o.out, done)
	}
	return loaded.Config, &state, nil
}

// checkBeginning checks a folder without a state in which --resume begins a run:
// there may be what a run leaves that was killed before it saved anything.
func (o *trainOptions) checkBeginning(files outputFolder) error {
	begun, held := false, ""
	entries, _ := os.ReadDir(o.out) // what is wrong with the folder is found by check
	for _, entry := range entries {
		begun = begun || entry.Name() == logFile
		if filepath.Ext(entry.Name()) == ".safetensors" && entry.Name()[0] != '.' {
			held = entry.Name()
		}
	}
	switch {
	case held != "":
		return usagef("the run folder %s holds %s but no %s to go on from; --overwrite begins again", o.out, held, engine.StateFile)
	case len(entries) > 0 && !begun:
		return usagef("the run folder %s holds files but no run to go on with; give another with --out", o.out)
	}
	return files.check(true)
}
