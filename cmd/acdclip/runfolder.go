package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"acdclip/pkg/atomicfile"
	"acdclip/pkg/engine"
	"acdclip/pkg/report"
)

// The files of a run folder that the engine leaves to its caller.
const (
	configFile = "config.yaml"
	logFile    = "log.jsonl"
	curvesFile = "curves.png" // `acdclip plot` puts it there
)

// runFiles describes a run folder.
func runFiles(path string) outputFolder {
	return outputFolder{
		path: path, kind: "run folder", resumable: true,
		files: fileNames(`config\.yaml`, `log\.jsonl`, `epoch-\d+\.safetensors`, `last\.safetensors`, `best\.safetensors`, `state\.safetensors`, `curves\.(png|svg)`),
	}
}

// runFolder writes the files of a run that engine.Train leaves to its caller. It
// touches the disk in Begin, so that a run which could not begin leaves nothing
// behind.
type runFolder struct {
	outputFolder
	config  []byte
	resume  bool
	emit    func(report.Event)
	program string // what a shell calls it
	file    *os.File
	events  *report.EventWriter
}

var _ engine.Log = (*runFolder)(nil)

func (r *runFolder) last() string { return filepath.Join(r.path, engine.LastFile) }

// Begin makes the folder ready. The log is open, and locked, from here to the
// end: of two programs in one folder the second stops.
func (r *runFolder) Begin(lines int) error {
	if err := os.MkdirAll(r.path, 0o755); err != nil {
		return fmt.Errorf("creating the %s: %w", r.kind, err)
	}
	file, err := os.OpenFile(filepath.Join(r.path, logFile), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	if err := lockFile(file); err != nil {
		return errors.Join(fmt.Errorf("the %s %s: %w", r.kind, r.path, err), file.Close())
	}
	r.file, r.events = file, report.NewEventWriter(file, nil)
	if !r.resume {
		// The state goes first: what is left when this is cut short must not be resumed.
		if err := os.Remove(filepath.Join(r.path, engine.StateFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("clearing the %s: %w", r.kind, err)
		}
	}
	if err := r.clear(func(name string) bool { return name != logFile && (!r.resume || name[0] == '.') }); err != nil {
		return err
	}
	if err := r.cut(lines); err != nil {
		return fmt.Errorf("cutting the log back: %w", err)
	}
	return atomicfile.Write(filepath.Join(r.path, configFile), func(w io.Writer) error {
		_, err := w.Write(r.config)
		return err
	})
}

// cut keeps the log's first lines.
func (r *runFolder) cut(lines int) error {
	reader := bufio.NewReader(r.file)
	var length int64
	for found := range lines {
		line, err := reader.ReadString('\n')
		if errors.Is(err, io.EOF) { // somebody has shortened it
			r.emit(report.Warning{Text: fmt.Sprintf("%s has %d of the %d lines that were written", r.file.Name(), found, lines)})
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
func (r *runFolder) Write(event report.Event) error { return r.events.Write(event) }

// Sync brings log.jsonl to the disk.
func (r *runFolder) Sync() error { return r.file.Sync() }

func (r *runFolder) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// saved says how to go on with a run that ended by err; "" where it cannot be.
func (r *runFolder) saved(err error) string {
	if errors.Is(err, engine.ErrDiverged) {
		return "" // it would end in the same way
	}
	if r.file == nil && !(r.resume && errors.Is(err, context.Canceled)) {
		return "" // it did not begin, or what was given is wrong
	}
	if !exists(filepath.Join(r.path, engine.StateFile)) {
		return ""
	}
	command := fmt.Sprintf("%s train --resume --out %s", r.program, shellQuoted(absolutePath(r.path)))
	if errors.Is(err, engine.ErrNotFinite) { // else the same step would stop it again
		command += " --set train.skip_nonfinite=true"
	}
	return "to go on from what is saved: " + command
}
