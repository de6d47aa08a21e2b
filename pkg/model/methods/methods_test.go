package methods

import (
	"strings"
	"testing"

	"acdclip/internal/torchtest"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/model"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// TestEveryMethodIsBuilt: each that a configuration may name is in the table, and no other.
func TestEveryMethodIsBuilt(t *testing.T) {
	for _, name := range append(config.Method("").Values(), "other") {
		_, err := New(nil, config.Method(name), model.Options{}) // options that no method takes
		for _, err := range []error{err, Check(config.Method(name), pretrained.Arch{}, config.Model{}, nil)} {
			if unknown := err != nil && strings.Contains(err.Error(), "there is no method"); unknown != (name == "other") {
				t.Errorf("method %s: %v", name, err)
			}
		}
	}
}
