package clip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
)

// Vision is the image tower, a Vision Transformer.
type Vision struct {
	Width  int // C
	Depth  int // number of blocks
	Grid   int // G: patches a side at the chosen image size
	patch  int64
	conv   torch.Tensor // [C, 3, patch, patch]
	class  torch.Tensor // [C]
	place  torch.Tensor // [1+G*G, C]: position embedding at the chosen image size
	pre    torch.Affine
	blocks []torch.FrozenBlock
	post   torch.Affine
	proj   torch.Tensor // [C, E]
}

func newVision(s *torch.Scope, r *reader, arch pretrained.Arch, activation config.Activation, imageSize int) *Vision {
	v := &Vision{
		Width: arch.VisionWidth, Depth: arch.VisionLayers, Grid: imageSize / arch.Patch, patch: int64(arch.Patch),
		conv: r.take("visual.conv1.weight"), class: r.take("visual.class_embedding"),
		pre: r.layerNorm("visual.ln_pre"), post: r.layerNorm("visual.ln_post"), proj: r.take("visual.proj"),
		blocks: r.blocks("visual.transformer", arch.VisionLayers, arch.VisionHeads, false, activation),
	}
	if table := r.take("visual.positional_embedding"); table.Defined() {
		v.place = s.Keep(resizePositions(table, int64(arch.ImageSize/arch.Patch), int64(v.Grid)))
	}
	return v
}

// resizePositions brings a position embedding [1+from*from, C] to [1+to*to, C]:
// the grid part by bicubic interpolation with antialiasing, the class token's as it is.
func resizePositions(table torch.Tensor, from, to int64) torch.Tensor {
	if from == to {
		return table
	}
	width := table.Dim(1)
	grid := table.Narrow(0, 1, from*from).Reshape(1, from, from, width).Permute(0, 3, 1, 2)
	grid = grid.ResizeBicubic(to, to).Permute(0, 2, 3, 1).Reshape(to*to, width)
	return torch.Cat(0, table.Narrow(0, 0, 1), grid)
}

// PositionEmbedding is the position embedding [1+G*G, C] at the chosen image size.
func (v *Vision) PositionEmbedding() torch.Tensor { return v.place }

// Embed maps normalised pictures [B, 3, S, S] to tokens [B, 1+L, C], the class token first.
func (v *Vision) Embed(pictures torch.Tensor) torch.Tensor {
	batch, width, patches := pictures.Dim(0), int64(v.Width), int64(v.Grid*v.Grid)
	x := pictures.Conv2d(v.conv, v.patch, 0, 1).Reshape(batch, width, patches).Transpose(1, 2)
	x = torch.Cat(1, v.class.Expand(batch, 1, width), x)
	return layerNorm(x.Add(v.place), v.pre)
}

// Block applies block i to tokens [B, 1+L, C]; the result belongs to s.
func (v *Vision) Block(s *torch.Scope, i int, x torch.Tensor) torch.Tensor {
	return s.Keep(v.blocks[i].Apply(x))
}

// Head maps the class tokens [B, C] after the last block to image embeddings [B, E], not normalised.
func (v *Vision) Head(class torch.Tensor) torch.Tensor {
	return layerNorm(class, v.post).MatMul(v.proj)
}
