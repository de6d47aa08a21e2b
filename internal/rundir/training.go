package rundir

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/events"
	"acdclip/pkg/model/card"
	"acdclip/pkg/present"
	"acdclip/pkg/regularfile"
)

// The files of a training's run folder, in addition to epoch-NNN.safetensors.
const (
	LastFile   = "last.safetensors"  // the checkpoint of the last epoch
	BestFile   = "best.safetensors"  // with validation: the checkpoint of the best epoch
	StateFile  = "state.safetensors" // the state to resume from
	ConfigFile = "config.yaml"
	LogFile    = "log.jsonl"
	CurvesFile = "curves.png" // written by `acdclip plot`
)

// EpochFile returns the name of the checkpoint of an epoch, from 1.
func EpochFile(epoch int) string { return fmt.Sprintf("epoch-%03d.safetensors", epoch) }

// TrainingDir describes a training's run folder.
func TrainingDir(path string) Dir { return Dir{Path: path, Kind: "run folder", Resumable: true} }

// Training is the run folder of a training and manages its files. It implements
// training.Folder. It writes nothing before Begin, so a training that cannot start leaves
// nothing behind.
type Training struct {
	Dir       Dir
	Config    []byte // content of ConfigFile
	Overwrite bool
	State     *TrainingState // the state to resume from; nil: a new training
	Methods   card.List      // methods whose checkpoints can be read
	Emit      func(events.Event)

	held *Held
	file *os.File // the log
	log  *events.Writer
}

// Path returns the path of a file in the folder.
func (t *Training) Path(name string) string { return filepath.Join(t.Dir.Path, name) }

// Begun reports whether Begin has opened the folder.
func (t *Training) Begun() bool { return t.file != nil }

// HasState reports whether there is a state to resume from.
func (t *Training) HasState() bool { return present.Any(t.Path(StateFile)) }

// Begin prepares the folder and cuts the log to its first lines lines. It locks the folder
// until Close, so that a second program in the same folder stops.
func (t *Training) Begin(lines int) (err error) {
	if t.held, err = t.Dir.Hold(); err != nil {
		return err
	}
	if err := t.settle(); err != nil {
		return err
	}
	if err := t.held.Own(LogFile); err != nil {
		return err
	}
	if _, err := regularfile.Stat(t.Path(LogFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("opening the log: %w", err)
	}
	if t.file, err = os.OpenFile(t.Path(LogFile), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	t.log = events.NewWriter(t.file, nil)
	if err := t.cut(lines); err != nil {
		return fmt.Errorf("cutting the log back: %w", err)
	}
	return t.held.Write(ConfigFile, func(w io.Writer) error {
		_, err := w.Write(t.Config)
		return err
	})
}

// settle checks the folder again, because another program may have written since the
// first check, and removes the files of an earlier training that is not resumed.
func (t *Training) settle() error {
	if t.State != nil {
		if err := t.State.unchanged(); err != nil {
			return err
		}
		return t.adopt()
	}
	if err := t.Dir.Check(t.Overwrite); err != nil {
		return err
	}
	// Remove the state first: if clearing is interrupted, the rest must not be resumed.
	if err := t.held.Clear(func(name string) bool { return name != StateFile }); err != nil {
		return err
	}
	return t.held.Clear(func(string) bool { return false })
}

// adopt lists the files of a run folder without a manifest. Its state shows that acdclip
// wrote them.
func (t *Training) adopt() error {
	if t.held.Owns(StateFile) {
		return nil
	}
	names := []string{StateFile, ConfigFile, LogFile, LastFile, BestFile, CurvesFile}
	for epoch := 1; epoch <= t.State.Metadata.Epoch; epoch++ {
		names = append(names, EpochFile(epoch))
	}
	for _, name := range names {
		if !present.Any(t.Path(name)) {
			continue
		}
		if err := t.held.Adopt(name); err != nil {
			return err
		}
	}
	return nil
}

// cut truncates the log after its first lines lines.
func (t *Training) cut(lines int) error {
	reader := bufio.NewReader(t.file)
	var length int64
	for found := range lines {
		line, err := reader.ReadString('\n')
		if errors.Is(err, io.EOF) { // the file was shortened
			t.Emit(events.Warning{Text: fmt.Sprintf("%s has only %d of the %d lines that were written", t.file.Name(), found, lines)})
			break
		}
		if err != nil {
			return err
		}
		length += int64(len(line))
	}
	if err := t.file.Truncate(length); err != nil {
		return err
	}
	_, err := t.file.Seek(length, io.SeekStart)
	return err
}

// Log appends an event to the log.
func (t *Training) Log(event events.Event) error { return t.log.Write(event) }

// SyncLog flushes the log to the disk.
func (t *Training) SyncLog() error { return t.file.Sync() }

// WriteEpoch writes the checkpoint of an epoch, from 1, also as the last checkpoint and, if
// best is true, as the best one.
func (t *Training) WriteEpoch(epoch int, best bool, write func(io.Writer) error) error {
	names := []string{EpochFile(epoch), LastFile}
	if best {
		names = append(names, BestFile)
	}
	for _, name := range names {
		if err := t.held.Write(name, write); err != nil {
			return err
		}
	}
	return nil
}

// WriteState replaces the state.
func (t *Training) WriteState(write func(io.Writer) error) error {
	return t.held.Write(StateFile, write)
}

// Close closes the log and unlocks the folder. A log that was removed or replaced, or a
// missing file, is an error.
func (t *Training) Close() error {
	if t.file == nil {
		return t.held.Close()
	}
	return errors.Join(StillAt(t.Path(LogFile), t.file), t.held.Complete(), t.file.Close(), t.held.Close())
}

// Restore rewrites the last and the best checkpoint of a finished training if they are
// missing or damaged.
func (t *Training) Restore() (err error) {
	if t.held, err = t.Dir.Hold(); err != nil {
		return err
	}
	defer t.held.Close()
	if err := t.State.unchanged(); err != nil {
		return err
	}
	if err := t.adopt(); err != nil {
		return err
	}
	err = t.restore(LastFile, t.State.Metadata.Epoch)
	if best := t.State.Place.Best; err == nil && best != nil {
		err = t.restore(BestFile, best.Epoch)
	}
	return err
}

// restore rewrites the file name with the checkpoint of an epoch if it is missing or
// damaged. The source is the state, for the last epoch, or the epoch's own file.
func (t *Training) restore(name string, epoch int) error {
	path := t.Path(name)
	if t.checkCheckpoint(path) == nil {
		return nil
	}
	source := StateFile
	write := func(w io.Writer) error { return checkpoint.Encode(w, t.State.Metadata, t.State.Parameters) }
	if epoch != t.State.Metadata.Epoch {
		source = EpochFile(epoch)
		write = func(w io.Writer) error { return t.copyCheckpoint(w, t.Path(source)) }
	}
	if err := t.held.Write(name, write); err != nil {
		return fmt.Errorf("%s is missing or damaged and cannot be restored: %w", path, err)
	}
	t.Emit(events.Warning{Text: fmt.Sprintf("%s was missing or damaged; restored it from %s", path, source)})
	return nil
}

// checkCheckpoint returns an error if a file is not a valid checkpoint.
func (t *Training) checkCheckpoint(path string) error {
	c, err := checkpoint.Open(path, t.Methods)
	if err != nil {
		return err
	}
	return c.Close()
}

// copyCheckpoint copies a checkpoint after checking it.
func (t *Training) copyCheckpoint(to io.Writer, from string) error {
	if err := t.checkCheckpoint(from); err != nil {
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

// TrainingState is the state of a training and the file that it was read from.
type TrainingState struct {
	checkpoint.State
	path string
	info os.FileInfo
}

// ReadTrainingState reads the state in a run folder; without one the error is fs.ErrNotExist.
func ReadTrainingState(folder string, methods card.List) (*TrainingState, error) {
	path := filepath.Join(folder, StateFile)
	info, err := regularfile.Stat(path)
	if err != nil {
		return nil, err
	}
	state, err := checkpoint.ReadState(path, methods)
	if err != nil {
		return nil, err
	}
	return &TrainingState{state, path, info}, nil
}

// unchanged checks that the file has not been replaced since it was read.
func (s *TrainingState) unchanged() error {
	now, err := os.Stat(s.path)
	if err != nil {
		return fmt.Errorf("checking the state again: %w", err)
	}
	if !os.SameFile(s.info, now) || s.info.ModTime() != now.ModTime() {
		return fmt.Errorf("%s: another acdclip has resumed this training in the meantime; run the command again", s.path)
	}
	return nil
}

// RunFolderCheckpoint returns the checkpoint of the last epoch if path is a training's run
// folder, else "".
func RunFolderCheckpoint(path string) string {
	if last := filepath.Join(path, LastFile); present.Any(last) {
		return last
	}
	return ""
}
