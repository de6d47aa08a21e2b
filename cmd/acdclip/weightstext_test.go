package main

import (
	"strings"
	"testing"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/model/adaclip/options"
)

// TestDescribedCheckpoint: a file of a method's authors says what is known of its training,
// and no more.
func TestDescribedCheckpoint(t *testing.T) {
	model, _ := options.Preset()
	d := description{
		Path: "a.pth", Kind: kindCheckpoint, Tensors: 3, Parameters: 5000, Unused: 1200, Companions: []string{"CVC-ColonDB"},
		Checkpoint: &checkpoint.Metadata{Method: options.Name, Preset: options.Released, Auxiliary: "MVTec", Model: &model},
	}
	text := d.text()
	for _, want := range []string{"MVTec, together with CVC-ColonDB\n", "unknown\n", "3 with 5,000 parameters, 1,200 of them not used\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "trained with") || strings.Contains(text, "recipe") {
		t.Errorf("what is not known is told:\n%s", text)
	}
}
