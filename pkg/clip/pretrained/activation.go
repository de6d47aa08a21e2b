package pretrained

import "acdclip/pkg/clip/activation"

// OwnActivation is what the activation "auto" stands for: the activation that the
// checkpoint was trained with, as it says, or else the default of its format, which is
// GELU for open_clip's files and QuickGELU for others.
func (c *Checkpoint) OwnActivation() activation.Activation {
	if said := c.Arch.Activation; said == GELU || said == "" && c.Format == FormatOpenCLIP {
		return activation.GELU
	}
	return activation.QuickGELU
}
