package spelling

import (
	"slices"
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	words := []string{"groups", "image_size", "adapter", "score"}
	for text, want := range map[string]string{
		"gropus": "groups", "group": "groups", "Groups": "groups", "imagesize": "image_size", "adaptor": "adapter",
		"scroe": "score", "xyz": "", "": "", strings.Repeat("groups", 20): "",
	} {
		if got := Nearest(text, words); got != want {
			t.Errorf("nearest to %q is %q, want %q", text, got, want)
		}
	}
}

func TestSorted(t *testing.T) {
	words := []string{"pcb1", "Bottle", "cable", "pcb2", "tile"}
	for text, want := range map[string][]string{
		"bottel": {"Bottle", "tile", "cable", "pcb1", "pcb2"},
		"PCB2":   {"pcb2", "pcb1", "cable", "tile", "Bottle"},
		"":       {"pcb1", "pcb2", "tile", "cable", "Bottle"},
	} {
		if got := Sorted(text, words); !slices.Equal(got, want) {
			t.Errorf("nearest to %q are %q, want %q", text, got, want)
		}
	}
}
