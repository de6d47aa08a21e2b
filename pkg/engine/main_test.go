package engine

import (
	"testing"

	"acdclip/internal/torchtest"
	"acdclip/pkg/config"
	"acdclip/pkg/events"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// load reads a configuration as the program does.
func load(t *testing.T, set ...string) config.Loaded {
	t.Helper()
	loaded, err := config.Load(config.Sources{Set: set, OwnModel: true})
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// eventList collects what the engine emits.
type eventList []events.Event

func (e *eventList) emit(event events.Event) { *e = append(*e, event) }

// logged is a Log that hands each line on.
type logged func(events.Event) error

func (logged) Begin(int) error                  { return nil }
func (l logged) Write(event events.Event) error { return l(event) }
func (logged) Sync() error                      { return nil }
