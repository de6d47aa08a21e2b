package clip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/clip/pretrained"
)

// Vision is the image tower, a Vision Transformer.
type Vision struct {
	Width  int // C
	Depth  int // number of blocks
	Grid   int // G: patches per side at the chosen image size
	patch  int64
	conv   torch.Tensor // [C, 3, patch, patch]
	shift  torch.Tensor // [C]: added to the patches' embeddings if pictures were normalised otherwise in training; else undefined
	class  torch.Tensor // [C]
	place  torch.Tensor // [1+G*G, C]: position embedding at the chosen image size
	pre    torch.Affine
	blocks []torch.FrozenBlock
	post   torch.Affine
	proj   torch.Tensor // [C, E]
}

func newVision(s *torch.Scope, r *reader, arch pretrained.Arch, kind torch.FrozenBlock, imageSize int, positions PositionResize) *Vision {
	conv, shift := r.patches()
	kind.Heads = int64(arch.VisionHeads)
	v := &Vision{
		Width: arch.VisionWidth, Depth: arch.VisionLayers, Grid: imageSize / arch.Patch, patch: int64(arch.Patch),
		conv: conv, shift: shift, class: r.take("visual.class_embedding"),
		pre: r.layerNorm("visual.ln_pre"), post: r.layerNorm("visual.ln_post"), proj: r.take("visual.proj"),
		blocks: r.blocks("visual.transformer", arch.VisionLayers, kind),
	}
	if table := r.take("visual.positional_embedding"); table.Defined() {
		v.place = s.Keep(positions.resize(table, int64(arch.ImageSize/arch.Patch), int64(v.Grid)))
	}
	return v
}

// PositionEmbedding returns the position embedding [1+G*G, C] at the chosen image size.
func (v *Vision) PositionEmbedding() torch.Tensor { return v.place }

// Embed maps pictures [B, 3, S, S], normalised as OpenAI's (pretrained.CLIPNormalisation), to the tokens [B, 1+L, C] that the first
// block takes, the class token first.
func (v *Vision) Embed(pictures torch.Tensor) torch.Tensor {
	return layerNorm(v.Tokens(pictures), v.pre)
}

// Tokens is Embed without its LayerNorm: the patches' embeddings and the class token, with
// their positions.
func (v *Vision) Tokens(pictures torch.Tensor) torch.Tensor {
	batch, width, patches := pictures.Dim(0), int64(v.Width), int64(v.Grid*v.Grid)
	x := pictures.Conv2d(v.conv, v.patch, 0, 1).Reshape(batch, width, patches).Transpose(1, 2)
	if v.shift.Defined() {
		x = x.Add(v.shift)
	}
	x = torch.Cat(1, v.class.Expand(batch, 1, width), x)
	return x.Add(v.place)
}

// Block applies block i to tokens [B, T, C], the class token first and any others
// after it; the result belongs to s.
func (v *Vision) Block(s *torch.Scope, i int, x torch.Tensor) torch.Tensor {
	return s.Keep(v.blocks[i].Apply(x))
}

// BlockParts is like Block and also returns the wanted intermediate results of the block,
// which belong to s too.
func (v *Vision) BlockParts(s *torch.Scope, i int, x torch.Tensor, wanted torch.Part) (torch.Tensor, torch.Parts) {
	y, parts := v.blocks[i].ApplyParts(x, wanted)
	return s.Keep(y), parts.KeepIn(s)
}

// ClassToken maps tokens x [B, T, C] of Embed, or a choice of them with the class token
// first, to the class token after the last block, [B, 1, C], which belongs to s. The last
// block computes that row alone.
func (v *Vision) ClassToken(s *torch.Scope, x torch.Tensor) (class torch.Tensor) {
	last := v.Depth - 1
	_ = s.Within(func(inner *torch.Scope) error {
		for i := range last {
			x = inner.Step(x, func(x torch.Tensor) torch.Tensor { return v.Block(inner, i, x) })
		}
		class = s.Keep(v.blocks[last].ApplyFirst(x, 1))
		return nil
	})
	return class
}

// Head maps tokens [..., C] after a block to image embeddings [..., E], not normalised:
// LayerNorm, then Project. CLIP's embedding of a picture is Head of the class token after
// the last block.
func (v *Vision) Head(x torch.Tensor) torch.Tensor { return v.Project(layerNorm(x, v.post)) }

// Project is Head without its LayerNorm.
func (v *Vision) Project(x torch.Tensor) torch.Tensor { return x.MatMul(v.proj) }
