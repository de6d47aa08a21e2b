package clip

import "acdclip/cgo/torch"

// epsilon of every LayerNorm in CLIP.
const epsilon = 1e-5

// layerNorm normalises x over its last dimension, then scales and shifts.
func layerNorm(x torch.Tensor, by torch.Affine) torch.Tensor {
	return x.LayerNorm(by.Weight, by.Bias, epsilon)
}
