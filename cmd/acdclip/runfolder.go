package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"al.essio.dev/pkg/shellescape"

	"acdclip/internal/rundir"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/engine"
	"acdclip/pkg/events"
	"acdclip/pkg/present"
	"acdclip/pkg/regularfile"
)

// The files of a run folder that the engine leaves to its caller.
const (
	configFile = "config.yaml"
	logFile    = "log.jsonl"
	curvesFile = "curves.png" // `acdclip plot` puts it there
)

// runDir describes a run folder.
func runDir(path string) rundir.Dir {
	return rundir.Dir{Path: path, Kind: "run folder", Resumable: true}
}

// stateFile is the path of a run folder's state.
func stateFile(path string) string { return filepath.Join(path, engine.StateFile) }

// runFolder writes the files of a run that engine.Train leaves to its caller. It
// touches the disk in Begin, so that a run which could not begin leaves nothing
// behind.
type runFolder struct {
	dir       rundir.Dir
	config    []byte
	overwrite bool
	state     *runState // what is gone on from; nil: the run begins
	emit      func(events.Event)
	program   string // what a shell calls it
	held      *rundir.Held
	file      *os.File
	events    *events.Writer
}

var _ engine.Log = (*runFolder)(nil)

func (r *runFolder) path(name string) string { return filepath.Join(r.dir.Path, name) }

// Begin makes the folder ready. It is held from here to the end: of two programs
// in one folder the second stops.
func (r *runFolder) Begin(lines int) (err error) {
	if r.held, err = r.dir.Hold(); err != nil {
		return err
	}
	if err := r.settle(); err != nil {
		return err
	}
	if err := r.held.Own(logFile); err != nil {
		return err
	}
	if _, err := regularfile.Stat(r.path(logFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("opening the log: %w", err)
	}
	if r.file, err = os.OpenFile(r.path(logFile), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	r.events = events.NewWriter(r.file, nil)
	if err := r.cut(lines); err != nil {
		return fmt.Errorf("cutting the log back: %w", err)
	}
	return r.held.Write(configFile, func(w io.Writer) error {
		_, err := w.Write(r.config)
		return err
	})
}

// settle looks again at the folder, which another program may have written since
// it was looked at first, and removes what is not gone on with.
func (r *runFolder) settle() error {
	if r.state != nil {
		if err := r.state.unchanged(); err != nil {
			return err
		}
		return r.adopt()
	}
	if err := r.dir.Check(r.overwrite); err != nil {
		return err
	}
	// The state goes first: what is left when this is cut short must not be resumed.
	if err := r.held.Clear(func(name string) bool { return name != engine.StateFile }); err != nil {
		return err
	}
	return r.held.Clear(func(string) bool { return false })
}

// adopt lists the files of a run whose folder has no list of them: the state
// shows that it is one.
func (r *runFolder) adopt() error {
	if r.held.Owns(engine.StateFile) {
		return nil
	}
	names := []string{engine.StateFile, configFile, logFile, engine.LastFile, engine.BestFile, curvesFile}
	for epoch := 1; epoch <= r.state.Metadata.Epoch; epoch++ {
		names = append(names, engine.EpochFile(epoch))
	}
	for _, name := range names {
		if !present.Any(r.path(name)) {
			continue
		}
		if err := r.held.Adopt(name); err != nil {
			return err
		}
	}
	return nil
}

// write writes a file of the run folder, which it lists as the run's.
func (r *runFolder) write(name string, write func(io.Writer) error) error {
	return r.held.Write(name, write)
}

// runState is a state, and the file that it was read from.
type runState struct {
	checkpoint.State
	path string
	info os.FileInfo
}

// readRunState reads the state in a run folder.
func readRunState(folder string) (*runState, error) {
	path := stateFile(folder)
	info, err := regularfile.Stat(path)
	if err != nil {
		return nil, err
	}
	state, err := checkpoint.ReadState(path)
	if err != nil {
		return nil, err
	}
	return &runState{state, path, info}, nil
}

// unchanged says that the file has not been replaced since it was read.
func (s *runState) unchanged() error {
	now, err := os.Stat(s.path)
	if err != nil {
		return fmt.Errorf("looking at the state again: %w", err)
	}
	if !os.SameFile(s.info, now) || s.info.ModTime() != now.ModTime() {
		return fmt.Errorf("%s: another acdclip has gone on with this run meanwhile; run the command again", s.path)
	}
	return nil
}

// cut keeps the log's first lines.
func (r *runFolder) cut(lines int) error {
	reader := bufio.NewReader(r.file)
	var length int64
	for found := range lines {
		line, err := reader.ReadString('\n')
		if errors.Is(err, io.EOF) { // somebody has shortened it
			r.emit(events.Warning{Text: fmt.Sprintf("%s has %d of the %d lines that were written", r.file.Name(), found, lines)})
			break
		}
		if err != nil {
			return err
		}
		length += int64(len(line))
	}
	if err := r.file.Truncate(length); err != nil {
		return err
	}
	_, err := r.file.Seek(length, io.SeekStart)
	return err
}

// Write appends an event to log.jsonl.
func (r *runFolder) Write(event events.Event) error { return r.events.Write(event) }

// Sync brings log.jsonl to the disk.
func (r *runFolder) Sync() error { return r.file.Sync() }

// close ends the log. A log that is no longer where it was written is an error.
func (r *runFolder) close() error {
	if r.file == nil {
		return r.held.Close()
	}
	return errors.Join(rundir.StillAt(r.path(logFile), r.file), r.held.Complete(), r.file.Close(), r.held.Close())
}

// saved says how to go on with a run that ended by err; "" where it cannot be.
func (r *runFolder) saved(err error) string {
	if errors.Is(err, engine.ErrDiverged) {
		return "" // it would end in the same way
	}
	if r.file == nil && !(r.state != nil && errors.Is(err, context.Canceled)) {
		return "" // it did not begin, or what was given is wrong
	}
	if !present.Any(stateFile(r.dir.Path)) {
		return ""
	}
	command := fmt.Sprintf("%s train --resume --out %s", r.program, shellescape.Quote(absolutePath(r.dir.Path)))
	if errors.Is(err, engine.ErrNotFinite) { // else the same step would stop it again
		command += " --set train.skip_nonfinite=true"
	}
	return "to go on from what is saved: " + command
}
