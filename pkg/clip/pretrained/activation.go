package pretrained

import (
	"path/filepath"
	"slices"
	"strings"

	"acdclip/pkg/clip/activation"
	"acdclip/pkg/weights"
)

// OwnActivation is what the activation "auto" stands for: the activation that the
// checkpoint was trained with, as it says, or else GELU for open_clip's files and
// QuickGELU for others. A plain state dict counts as open_clip's if its vision tower has
// the width of one that only open_clip's authors published.
func (c *Checkpoint) OwnActivation() activation.Activation {
	switch said := c.Arch.Activation; {
	case said == GELU:
		return activation.GELU
	case said == "" && (c.Format == FormatOpenCLIP || c.Format == FormatStateDict && slices.Contains(openCLIPWidths(), c.Arch.VisionWidth)):
		return activation.GELU
	}
	return activation.QuickGELU
}

// openCLIPWidths are the widths of the vision towers of ViT-B/16+, H/14, g/14 and bigG/14.
func openCLIPWidths() []int { return []int{896, 1280, 1408, 1664} }

// namedActivation returns what a weight file without a configuration tells about its
// activation: OpenAI's archives have QuickGELU, and so has a model of open_clip if its name,
// in the file or of the file, contains "quickgelu". "" if nothing tells.
func namedActivation(format string, file *weights.File) string {
	trained, _ := file.Scalars["name"].(string)
	for _, name := range []string{filepath.Base(file.Path), trained} {
		if strings.Contains(strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name)), "quickgelu") {
			return QuickGELU
		}
	}
	if format == FormatTorchScript {
		return QuickGELU
	}
	return ""
}
