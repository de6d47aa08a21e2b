package engine

import (
	"testing"

	"acdclip/internal/torchtest"
	"acdclip/pkg/config"
	"acdclip/pkg/report"
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

// events collects what the engine emits.
type events []report.Event

func (e *events) emit(event report.Event) { *e = append(*e, event) }

// logged is a Log that hands each line on.
type logged func(report.Event) error

func (logged) Begin(int) error                  { return nil }
func (l logged) Write(event report.Event) error { return l(event) }
func (logged) Sync() error                      { return nil }
