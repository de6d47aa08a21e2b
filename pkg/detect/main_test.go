package detect

import (
	"testing"

	"acdclip/internal/torchtest"
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
