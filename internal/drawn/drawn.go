// Package drawn provides small drawn datasets for tests.
package drawn

import (
	"path/filepath"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
)

// Set draws a dataset of two classes of a set of synth in a temporary folder. Each class
// has 2 normal and 3 anomalous pictures of 64 pixels.
func Set(t testing.TB, set string) *data.Dataset {
	t.Helper()
	classes, err := synth.Classes(set)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), set)
	if _, err := synth.Write(t.Context(), folder, synth.Options{Set: set, Classes: classes[:2], Normal: 2, Anomalous: 3, Size: 64}); err != nil {
		t.Fatal(err)
	}
	found, err := data.Discover(t.Context(), set, config.Root{Path: folder}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
