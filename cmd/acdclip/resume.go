package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"acdclip/internal/rundir"
	"acdclip/pkg/config"
	"acdclip/pkg/present"
	"acdclip/pkg/trained"
)

// runConfig lists the configuration file of a run folder, if it is there.
func runConfig(folder string) []string {
	path := filepath.Join(folder, rundir.ConfigFile)
	if !present.Any(path) {
		return nil
	}
	return []string{path}
}

// settle finds out what is to be done: the configuration, and the state to go on
// from, nil where the run begins. It refuses a folder that cannot be used so.
func (o *trainOptions) settle() (config.Config, *rundir.TrainingState, error) {
	if o.resume && o.overwrite {
		return config.Config{}, nil, usagef("--resume and --overwrite contradict each other: one keeps what is there, the other replaces it")
	}
	loaded, err := o.configuration()
	if err != nil {
		return loaded.Config, nil, err
	}
	_, o.activationSet = loaded.Set["model.activation"]
	if !o.resume {
		return loaded.Config, nil, rundir.TrainingDir(o.out).Check(o.overwrite)
	}
	state, err := rundir.ReadTrainingState(o.out, o.app.methods.Cards())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return loaded.Config, nil, o.checkBeginning()
	case err != nil:
		return loaded.Config, nil, fmt.Errorf("%w; without a whole state the run cannot be resumed: --overwrite begins again", err)
	}
	for _, path := range runConfig(o.out) {
		begun, err := o.app.methods.Catalog().Load(config.Sources{Files: []string{path}})
		if err == nil {
			o.began = begun.Config
			if loaded.Config.Precision == config.PrecisionFastest { // the run stays in the format that it found
				loaded.Config.Precision = begun.Config.Precision
			}
			err = config.CheckResume(begun.Config, loaded)
		}
		if err != nil {
			return loaded.Config, nil, err
		}
	}
	if done := state.Metadata.Epoch; done > loaded.Config.Train.Epochs {
		return loaded.Config, nil, usagef("train.epochs is %d, but the run in %s has already finished %d", loaded.Config.Train.Epochs, o.out, done)
	}
	return loaded.Config, state, nil
}

// checkCheckpoint says why what a path or name stands for is no whole checkpoint; nil where
// it is one.
func (a *app) checkCheckpoint(source string, c config.Config) error {
	opened, err := trained.OpenCheckpoint(source, a.methods.Cards(), c)
	if err != nil {
		return err
	}
	return opened.Close()
}

// checkBeginning checks a folder without a state in which --resume begins a run:
// there may be what a run leaves that was killed before it saved anything.
func (o *trainOptions) checkBeginning() error {
	dir, held := rundir.TrainingDir(o.out), ""
	entries, _ := os.ReadDir(o.out) // what is wrong with the folder is found by Check
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".safetensors" && entry.Name()[0] != '.' {
			held = entry.Name()
		}
	}
	switch {
	case held != "":
		return usagef("the run folder %s has %s but no %s to resume from; --overwrite starts again", o.out, held, rundir.StateFile)
	case dir.Check(false) != nil && !dir.Lists(rundir.LogFile):
		return usagef("the folder %s has files but no run to resume; give another folder with --out", o.out)
	}
	return dir.Check(true)
}
