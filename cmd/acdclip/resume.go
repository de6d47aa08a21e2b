package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/engine"
	"acdclip/pkg/events"
	"acdclip/pkg/present"
	"acdclip/pkg/regularfile"
)

// runConfig lists the configuration file of a run folder, if it is there.
func runConfig(folder string) []string {
	path := filepath.Join(folder, configFile)
	if !present.Any(path) {
		return nil
	}
	return []string{path}
}

// settle finds out what is to be done: the configuration, and the state to go on
// from, nil where the run begins. It refuses a folder that cannot be used so.
func (o *trainOptions) settle() (config.Config, *runState, error) {
	if o.resume && o.overwrite {
		return config.Config{}, nil, usagef("--resume keeps the run that is there and --overwrite replaces it: give one of them")
	}
	loaded, err := o.configuration()
	if err != nil {
		return loaded.Config, nil, err
	}
	_, o.activationSet = loaded.Set["model.activation"]
	if !o.resume {
		return loaded.Config, nil, runDir(o.out).Check(o.overwrite)
	}
	state, err := readRunState(o.out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return loaded.Config, nil, o.checkBeginning()
	case err != nil:
		return loaded.Config, nil, fmt.Errorf("%w; without a whole state the run cannot be resumed: --overwrite begins again", err)
	}
	for _, path := range runConfig(o.out) {
		begun, err := config.Load(config.Sources{Files: []string{path}})
		if err == nil {
			o.began = begun.Config
			err = config.CheckResume(begun.Config, loaded)
		}
		if err != nil {
			return loaded.Config, nil, err
		}
	}
	if done := state.Metadata.Epoch; done > loaded.Config.Train.Epochs {
		return loaded.Config, nil, usagef("train.epochs is %d, and the run in %s has finished %d already", loaded.Config.Train.Epochs, o.out, done)
	}
	return loaded.Config, state, nil
}

// restore writes the checkpoints that a finished run ends in again, where they are
// gone or cut.
func (r *runFolder) restore() (err error) {
	if r.held, err = r.dir.Hold(); err != nil {
		return err
	}
	defer r.held.Close()
	if err := r.state.unchanged(); err != nil {
		return err
	}
	if err := r.adopt(); err != nil {
		return err
	}
	err = r.restoreFile(engine.LastFile, r.state.Metadata.Epoch)
	if best := r.state.Place.Best; err == nil && best != nil {
		err = r.restoreFile(engine.BestFile, best.Epoch)
	}
	return err
}

// restoreFile writes the checkpoint of an epoch under another name, unless it is
// there: from the state, which holds the last epoch's, or from the epoch's own file.
func (r *runFolder) restoreFile(name string, epoch int) error {
	path := r.path(name)
	if checkCheckpoint(path) == nil {
		return nil
	}
	source := engine.StateFile
	write := func(w io.Writer) error { return checkpoint.Encode(w, r.state.Metadata, r.state.Parameters) }
	if epoch != r.state.Metadata.Epoch {
		source = engine.EpochFile(epoch)
		write = func(w io.Writer) error { return copyCheckpoint(w, r.path(source)) }
	}
	err := r.held.Write(name, write)
	if err != nil {
		return fmt.Errorf("%s is gone or damaged, and cannot be written again: %w", path, err)
	}
	r.emit(events.Warning{Text: fmt.Sprintf("%s was gone or damaged; it is written again from %s", path, source)})
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
func copyCheckpoint(to io.Writer, from string) error {
	if err := checkCheckpoint(from); err != nil {
		return err
	}
	file, _, err := regularfile.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(to, file)
	return err
}

// checkBeginning checks a folder without a state in which --resume begins a run:
// there may be what a run leaves that was killed before it saved anything.
func (o *trainOptions) checkBeginning() error {
	dir, held := runDir(o.out), ""
	entries, _ := os.ReadDir(o.out) // what is wrong with the folder is found by Check
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".safetensors" && entry.Name()[0] != '.' {
			held = entry.Name()
		}
	}
	switch {
	case held != "":
		return usagef("the run folder %s holds %s but no %s to go on from; --overwrite begins again", o.out, held, engine.StateFile)
	case dir.Check(false) != nil && !dir.Lists(logFile):
		return usagef("the run folder %s holds files but no run to go on with; give another with --out", o.out)
	}
	return dir.Check(true)
}
