package options

import (
	"testing"

	"acdclip/pkg/config"
)

// TestPresets: both are valid, and their heat maps show the whole range of their maps.
func TestPresets(t *testing.T) {
	for name, high := range map[string]float32{Anomalib: 1, CaoYunkang: 0.5} {
		m, known := Preset(name)
		if !known {
			t.Fatalf("no preset %s", name)
		}
		if err := config.Validate("model", &m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if low, top := m.MapScale(); low != 0 || top != high {
			t.Errorf("%s: heat maps show %v to %v, want 0 to %v", name, low, top, high)
		}
	}
	if _, known := Preset("paper"); known {
		t.Error("a preset of another method")
	}
}

func TestMistakes(t *testing.T) {
	m, _ := Preset(Anomalib)
	m.Windows = []int{2, 2}
	if err := config.Validate("model", &m); err == nil {
		t.Error("a window size that is listed twice is accepted")
	}
}
