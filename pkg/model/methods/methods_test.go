package methods

import (
	"strings"
	"testing"

	"acdclip/internal/torchtest"
	"acdclip/pkg/config"
	"acdclip/pkg/model"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// TestEveryMethodIsBuilt: each that a configuration may name is in the table, and no other.
func TestEveryMethodIsBuilt(t *testing.T) {
	for _, name := range append(config.Method("").Values(), "other") {
		_, err := New(nil, config.Method(name), model.Options{}) // options that no method takes
		if unknown := err != nil && strings.Contains(err.Error(), "there is no method"); unknown != (name == "other") {
			t.Errorf("method %s: %v", name, err)
		}
	}
}
