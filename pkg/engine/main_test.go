package engine

import (
	"fmt"
	"os"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/config"
	"acdclip/pkg/report"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if left := torch.LiveHandles(); left != 0 {
		fmt.Fprintf(os.Stderr, "%d tensors were never freed\n", left)
		code = 1
	}
	os.Exit(code)
}

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
