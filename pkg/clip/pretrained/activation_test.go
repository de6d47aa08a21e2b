package pretrained

import (
	"testing"

	"acdclip/pkg/clip/activation"
)

// TestOwnActivation: what the file says comes first, then its format, then its width.
func TestOwnActivation(t *testing.T) {
	for _, c := range []struct {
		format, said string
		width        int
		want         activation.Activation
	}{
		{FormatTorchScript, QuickGELU, 768, activation.QuickGELU},
		{FormatHuggingFace, GELU, 768, activation.GELU},
		{FormatOpenCLIP, "", 1024, activation.GELU},
		{FormatOpenCLIP, QuickGELU, 896, activation.QuickGELU},
		{FormatStateDict, "", 768, activation.QuickGELU},  // OpenAI's B/32, or LAION's
		{FormatStateDict, "", 1024, activation.QuickGELU}, // L/14
		{FormatStateDict, "", 896, activation.GELU},       // B/16+
		{FormatStateDict, "", 1280, activation.GELU},      // H/14
		{FormatStateDict, QuickGELU, 1280, activation.QuickGELU},
	} {
		checkpoint := Checkpoint{Format: c.format, Arch: Arch{VisionWidth: c.width, Activation: c.said}}
		if got := checkpoint.OwnActivation(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
