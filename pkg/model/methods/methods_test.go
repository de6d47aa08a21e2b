package methods

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/torchtest"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/model"
	"acdclip/pkg/model/card"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// TestEveryRowIsComplete checks that each method implements what the program needs, and
// that its presets are valid and independent of each other.
func TestEveryRowIsComplete(t *testing.T) {
	var names []string
	for _, row := range All() {
		if row.Name == "" || row.Title == "" || row.Doc == "" || len(row.Presets) == 0 || row.Check == nil || row.New == nil {
			t.Errorf("the row of %q lacks something", row.Name)
		}
		if slices.Contains(names, row.Name) {
			t.Errorf("two methods are called %s", row.Name)
		}
		names = append(names, row.Name)
		for _, preset := range row.Presets {
			c, err := All().Catalog().Preset(row.Name, preset.Name)
			if err != nil {
				t.Errorf("%s, %s: %v", row.Name, preset.Name, err)
				continue
			}
			err = config.Validate("model", c.Model)
			if c.Loss != nil {
				err = errors.Join(err, config.Validate("loss", c.Loss))
			}
			if err != nil || (c.Loss == nil) == row.Learns || c.Model.Variant().Label == "" || c.Model.Input().Size < 1 {
				t.Errorf("%s, %s: %v; loss %v, variant %+v", row.Name, preset.Name, err, c.Loss, c.Model.Variant())
			}
		}
	}
}

func TestRowsRefuseOptionsOfOthers(t *testing.T) {
	for _, row := range All() {
		if err := row.Check(pretrained.Arch{}, nil, nil); err == nil {
			t.Errorf("%s takes no options for its own", row.Name)
		}
		if _, err := row.New(nil, model.Options{}); err == nil {
			t.Errorf("%s is built of no options", row.Name)
		}
	}
}

func TestFind(t *testing.T) {
	if row, err := All().Find("acdclip"); err != nil || row.Title != "ACD-CLIP" {
		t.Errorf("%+v, %v", row.Card, err)
	}
	if _, err := All().Find("acdcilp"); !errors.Is(err, card.ErrUnknown) || !strings.Contains(err.Error(), "did you mean acdclip?") {
		t.Errorf("%v", err)
	}
}

// TestTrainable checks the error for training a method without trainable parameters.
func TestTrainable(t *testing.T) {
	type untrainable struct{ model.Method }
	row := Row{Card: card.Card{Name: "still"}, New: func(*torch.Scope, model.Options) (model.Method, error) { return untrainable{}, nil }}
	if _, err := row.Trainable(nil, model.Options{}); err == nil || !strings.Contains(err.Error(), "still has no trainable parameters") {
		t.Errorf("%v", err)
	}
}
