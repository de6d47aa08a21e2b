package training

import (
	"io"
	"path/filepath"
	"testing"

	"acdclip/internal/rundir"
	"acdclip/internal/torchtest"
	"acdclip/pkg/atomicfile"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/events"
	"acdclip/pkg/model/methods"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// load reads a configuration in the same way as the program.
func load(t *testing.T, set ...string) config.Loaded {
	t.Helper()
	loaded, err := methods.All().Catalog().Load(config.Sources{Set: set, OwnModel: true})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// eventList collects the emitted events.
type eventList []events.Event

func (e *eventList) emit(event events.Event) { *e = append(*e, event) }

// logger receives the lines of a log.
type logger interface {
	Begin(lines int) error
	Write(event events.Event) error
	Sync() error
}

// logged is a logger that calls a function for each line.
type logged func(events.Event) error

func (logged) Begin(int) error                  { return nil }
func (l logged) Write(event events.Event) error { return l(event) }
func (logged) Sync() error                      { return nil }

// folder is a run folder with a replaceable log.
type folder struct {
	path string
	logger
	writeFile func(name string, write func(io.Writer) error) error // nil: into path
}

func (f *folder) Log(event events.Event) error { return f.logger.Write(event) }
func (f *folder) SyncLog() error               { return f.logger.Sync() }

func (f *folder) WriteEpoch(epoch int, best bool, write func(io.Writer) error) error {
	names := []string{rundir.EpochFile(epoch), rundir.LastFile}
	if best {
		names = append(names, rundir.BestFile)
	}
	for _, name := range names {
		if err := f.write(name, write); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) WriteState(write func(io.Writer) error) error {
	return f.write(rundir.StateFile, write)
}

func (f *folder) write(name string, write func(io.Writer) error) error {
	if f.writeFile != nil {
		return f.writeFile(name, write)
	}
	return atomicfile.Write(filepath.Join(f.path, name), write)
}

// logOf returns the logger of a run.
func logOf(o Options) *logger { return &o.Folder.(*folder).logger }

func pathOf(o Options) string { return o.Folder.(*folder).path }

func openCheckpoint(path string) (*checkpoint.Checkpoint, error) {
	return checkpoint.Open(path, methods.All().Cards())
}

func readStateFile(path string) (checkpoint.State, error) {
	return checkpoint.ReadState(path, methods.All().Cards())
}
