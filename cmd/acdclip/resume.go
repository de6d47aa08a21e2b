package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/engine"
	"acdclip/pkg/report"
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
	_, o.activationSet = loaded.Set["model.activation"]
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

// restore writes the checkpoints that a finished run ends in again, where they are
// gone or cut.
func (r *runFolder) restore(state *checkpoint.State) error {
	err := r.restoreFile(engine.LastFile, state.Metadata.Epoch, state)
	if best := state.Place.Best; err == nil && best != nil {
		err = r.restoreFile(engine.BestFile, best.Epoch, state)
	}
	return err
}

// restoreFile writes the checkpoint of an epoch under another name, unless it is
// there: from the state, which holds the last epoch's, or from the epoch's own file.
func (r *runFolder) restoreFile(name string, epoch int, state *checkpoint.State) error {
	path := filepath.Join(r.path, name)
	if checkCheckpoint(path) == nil {
		return nil
	}
	var err error
	source := engine.StateFile
	if epoch == state.Metadata.Epoch {
		err = checkpoint.Write(path, state.Metadata, state.Parameters)
	} else {
		source = engine.EpochFile(epoch)
		err = copyCheckpoint(path, filepath.Join(r.path, source))
	}
	if err != nil {
		return fmt.Errorf("%s is gone or damaged, and cannot be written again: %w", path, err)
	}
	r.emit(report.Warning{Text: fmt.Sprintf("%s was gone or damaged; it is written again from %s", path, source)})
	return nil
}

// checkCheckpoint says why a file is no whole checkpoint; nil where it is one.
func checkCheckpoint(path string) error {
	c, err := checkpoint.Open(path)
	if err != nil {
		return err
	}
	return c.Close()
}

// copyCheckpoint copies a whole checkpoint.
func copyCheckpoint(to, from string) error {
	if err := checkCheckpoint(from); err != nil {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return atomicfile.Write(to, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
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
