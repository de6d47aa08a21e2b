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

// The files of a training's run folder, beside epoch-NNN.safetensors.
const (
	LastFile   = "last.safetensors"  // the checkpoint of the last epoch
	BestFile   = "best.safetensors"  // with validation: of the epoch that was best
	StateFile  = "state.safetensors" // what the training is resumed from
	ConfigFile = "config.yaml"
	LogFile    = "log.jsonl"
	CurvesFile = "curves.png" // `acdclip plot` puts it there
)

// EpochFile names the checkpoint of an epoch, from 1.
func EpochFile(epoch int) string { return fmt.Sprintf("epoch-%03d.safetensors", epoch) }

// TrainingDir describes a training's run folder.
func TrainingDir(path string) Dir { return Dir{Path: path, Kind: "run folder", Resumable: true} }

// Training is the run folder of a training: the owner of its files. It is a
// training.Folder and touches the disk in Begin, so that a training which could not
// begin leaves nothing behind.
type Training struct {
	Dir       Dir
	Config    []byte // of ConfigFile
	Overwrite bool
	State     *TrainingState // what is resumed; nil: the training begins
	Methods   card.List      // whose checkpoints there may be
	Emit      func(events.Event)

	held *Held
	file *os.File // the log
	log  *events.Writer
}

// Path is the path of a file of the folder.
func (t *Training) Path(name string) string { return filepath.Join(t.Dir.Path, name) }

// Begun says that Begin has opened the folder.
func (t *Training) Begun() bool { return t.file != nil }

// HasState says that there is a state to resume from.
func (t *Training) HasState() bool { return present.Any(t.Path(StateFile)) }

// Begin makes the folder ready: the log's first so many lines stay, and no others. The
// folder is held from here to Close: of two programs in one folder the second stops.
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

// settle looks again at the folder, which another program may have written since
// it was looked at first, and removes what is not resumed.
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
	// The state goes first: what is left when this is cut short must not be resumed.
	if err := t.held.Clear(func(name string) bool { return name != StateFile }); err != nil {
		return err
	}
	return t.held.Clear(func(string) bool { return false })
}

// adopt lists the files of a training whose folder has no list of them: the state
// shows that it is one.
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

// cut keeps the log's first lines.
func (t *Training) cut(lines int) error {
	reader := bufio.NewReader(t.file)
	var length int64
	for found := range lines {
		line, err := reader.ReadString('\n')
		if errors.Is(err, io.EOF) { // somebody has shortened it
			t.Emit(events.Warning{Text: fmt.Sprintf("%s has %d of the %d lines that were written", t.file.Name(), found, lines)})
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

// SyncLog brings the log to the disk.
func (t *Training) SyncLog() error { return t.file.Sync() }

// WriteEpoch writes the checkpoint of an epoch, from 1, which is the last one so far, and
// the best one where best says so.
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

// Close ends the log and lets others use the folder. A log that is no longer where it
// was written is an error.
func (t *Training) Close() error {
	if t.file == nil {
		return t.held.Close()
	}
	return errors.Join(StillAt(t.Path(LogFile), t.file), t.held.Complete(), t.file.Close(), t.held.Close())
}

// Restore writes the checkpoints that a finished training ends in again, where they are
// gone or cut.
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

// restore writes the checkpoint of an epoch under another name, unless it is
// there: from the state, which holds the last epoch's, or from the epoch's own file.
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
		return fmt.Errorf("%s is missing or damaged, and cannot be written again: %w", path, err)
	}
	t.Emit(events.Warning{Text: fmt.Sprintf("%s was missing or damaged; it is written again from %s", path, source)})
	return nil
}

// checkCheckpoint says why a file is no whole checkpoint; nil where it is one.
func (t *Training) checkCheckpoint(path string) error {
	c, err := checkpoint.Open(path, t.Methods)
	if err != nil {
		return err
	}
	return c.Close()
}

// copyCheckpoint copies a whole checkpoint.
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

// TrainingState is the state of a training, and the file that it was read from.
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

// unchanged says that the file has not been replaced since it was read.
func (s *TrainingState) unchanged() error {
	now, err := os.Stat(s.path)
	if err != nil {
		return fmt.Errorf("looking at the state again: %w", err)
	}
	if !os.SameFile(s.info, now) || s.info.ModTime() != now.ModTime() {
		return fmt.Errorf("%s: another acdclip has resumed this training meanwhile; run the command again", s.path)
	}
	return nil
}

// RunFolderCheckpoint gives the checkpoint of the last epoch where path is a training's
// run folder; "" where it is none.
func RunFolderCheckpoint(path string) string {
	if last := filepath.Join(path, LastFile); present.Any(last) {
		return last
	}
	return ""
}
