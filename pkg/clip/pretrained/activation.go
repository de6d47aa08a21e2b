package pretrained

import (
	"path/filepath"
	"strings"

	"acdclip/pkg/clip/activation"
	"acdclip/pkg/weights"
)

// OwnActivation is what the activation "auto" stands for: the activation that the
// checkpoint was trained with, as it says, or else the default of its format, which is
// GELU for open_clip's files and QuickGELU for others.
func (c *Checkpoint) OwnActivation() activation.Activation {
	if said := c.Arch.Activation; said == GELU || said == "" && c.Format == FormatOpenCLIP {
		return activation.GELU
	}
	return activation.QuickGELU
}

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
