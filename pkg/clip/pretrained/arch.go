package pretrained

import (
	"cmp"
	"fmt"
	"math"
)

// The activations of the towers' MLPs.
const (
	GELU      = "gelu"       // exact, with erf
	QuickGELU = "quick_gelu" // x * sigmoid(1.702 x), used by OpenAI's models
)

// Arch is the architecture of a CLIP: the sizes given by its tensors' shapes, its
// numbers of attention heads and its activation.
type Arch struct {
	ImageSize    int // side of the pictures in pixels, as in the position embedding
	Patch        int // side of a patch in pixels
	VisionWidth  int
	VisionLayers int
	VisionHeads  int // divides VisionWidth
	VisionMLP    int // hidden width of the blocks' MLPs; 0 means 4*VisionWidth

	EmbedDim int // dimension of the joint embedding of pictures and texts

	ContextLength int // in tokens
	VocabSize     int
	HashedTokens  int // of a cut vocabulary (Checkpoint.KeptTokens): the rows that all other tokens share; 0: the vocabulary is whole
	TextWidth     int
	TextLayers    int
	TextHeads     int // divides TextWidth
	TextMLP       int // hidden width of the blocks' MLPs; 0 means 4*TextWidth

	// Activation is GELU, QuickGELU, or "" if the files do not state it. For OpenAI's
	// TorchScript archives it is QuickGELU.
	Activation string
}

// TinyArch is a very small, fast CLIP with ViT-L/14's patch size and vocabulary and
// twelve blocks per tower, which all common numbers of groups divide.
func TinyArch() Arch {
	return Arch{
		ImageSize: 70, Patch: 14, VisionWidth: 128, VisionLayers: 12, VisionHeads: 2,
		EmbedDim:      64,
		ContextLength: 77, VocabSize: 49408, TextWidth: 64, TextLayers: 12, TextHeads: 1,
		Activation: GELU,
	}
}

// maxSize limits each number of an Arch, so that no product of them overflows.
const maxSize = 1 << 20

// maxLayers is about twenty times the depth of the largest CLIP. It limits the number of
// tensors to look up.
const maxLayers = 1024

func (a Arch) validate() error {
	for _, n := range []int{a.ImageSize, a.Patch, a.VisionWidth, a.VisionLayers, a.EmbedDim,
		a.ContextLength, a.VocabSize, a.TextWidth, a.TextLayers} {
		if n < 1 || n > maxSize {
			return fmt.Errorf("%+v: each size must be in 1 to %d", a, maxSize)
		}
	}
	for _, n := range []int{a.VisionMLP, a.TextMLP} {
		if n < 0 || n > maxSize {
			return fmt.Errorf("%+v: the width of an MLP must be in 0 to %d", a, maxSize)
		}
	}
	switch {
	case a.VisionLayers > maxLayers || a.TextLayers > maxLayers:
		return fmt.Errorf("%d vision and %d text layers: each must be in 1 to %d", a.VisionLayers, a.TextLayers, maxLayers)
	case a.ImageSize%a.Patch != 0:
		return fmt.Errorf("the image size %d is not a multiple of the patch size %d", a.ImageSize, a.Patch)
	case a.VisionHeads < 1 || a.VisionWidth%a.VisionHeads != 0:
		return fmt.Errorf("%d vision heads do not divide the width %d", a.VisionHeads, a.VisionWidth)
	case a.TextHeads < 1 || a.TextWidth%a.TextHeads != 0:
		return fmt.Errorf("%d text heads do not divide the width %d", a.TextHeads, a.TextWidth)
	case a.Activation != "" && a.Activation != GELU && a.Activation != QuickGELU:
		return fmt.Errorf("the activation %q is neither %s nor %s", a.Activation, GELU, QuickGELU)
	}
	return nil
}

// mlpOr returns an MLP's hidden width: mlp, or four times the tower's width if it is 0.
func mlpOr(mlp, width int) int { return cmp.Or(mlp, 4*width) }

// slot is one canonical tensor: its name, its shape and its initial distribution.
type slot struct {
	name    string
	shape   []int64
	initial initial
}

// initial is a distribution: normal if std is set, uniform in [-bound, bound] if bound
// is set, otherwise the constant.
type initial struct{ constant, std, bound float64 }

func constant(c float64) initial { return initial{constant: c} }
func normal(std float64) initial { return initial{std: std} }

// linear returns PyTorch's default distribution for the weight and bias of a linear layer.
func linear(inputs int) initial { return initial{bound: 1 / math.Sqrt(float64(inputs))} }

// slots lists the canonical tensors in canonical order. The distributions are those of
// OpenAI's CLIP.initialize_parameters, with the text transformer's for both towers.
func (a Arch) slots() []slot {
	grid := a.ImageSize / a.Patch
	vision, text, embed := int64(a.VisionWidth), int64(a.TextWidth), int64(a.EmbedDim)
	visionScale := math.Pow(float64(a.VisionWidth), -0.5)
	all := []slot{
		{"visual.conv1.weight", []int64{vision, 3, int64(a.Patch), int64(a.Patch)}, linear(3 * a.Patch * a.Patch)},
		{"visual.class_embedding", []int64{vision}, normal(visionScale)},
		{"visual.positional_embedding", []int64{int64(grid*grid + 1), vision}, normal(visionScale)},
	}
	all = append(all, norm("visual.ln_pre", vision)...)
	all = append(all, blocks("visual.transformer", a.VisionWidth, mlpOr(a.VisionMLP, a.VisionWidth), a.VisionLayers)...)
	all = append(all, norm("visual.ln_post", vision)...)
	all = append(all,
		slot{"visual.proj", []int64{vision, embed}, normal(visionScale)},
		slot{"token_embedding.weight", []int64{int64(a.VocabSize), text}, normal(0.02)},
		slot{"positional_embedding", []int64{int64(a.ContextLength), text}, normal(0.01)},
	)
	all = append(all, blocks("transformer", a.TextWidth, mlpOr(a.TextMLP, a.TextWidth), a.TextLayers)...)
	all = append(all, norm("ln_final", text)...)
	return append(all,
		slot{"text_projection", []int64{text, embed}, normal(math.Pow(float64(a.TextWidth), -0.5))},
		slot{"logit_scale", []int64{}, constant(math.Log(1 / 0.07))},
	)
}

func norm(name string, width int64) []slot {
	return []slot{
		{name + ".weight", []int64{width}, constant(1)},
		{name + ".bias", []int64{width}, constant(0)},
	}
}

func blocks(tower string, width, mlp, layers int) []slot {
	w, inner := int64(width), int64(mlp)
	attention := math.Pow(float64(width), -0.5)
	projection := attention * math.Pow(2*float64(layers), -0.5)
	expansion := math.Pow(2*float64(width), -0.5)
	var all []slot
	for n := range layers {
		block := fmt.Sprintf("%s.resblocks.%d.", tower, n)
		all = append(all, norm(block+"ln_1", w)...)
		all = append(all,
			slot{block + "attn.in_proj_weight", []int64{3 * w, w}, normal(attention)},
			slot{block + "attn.in_proj_bias", []int64{3 * w}, constant(0)},
			slot{block + "attn.out_proj.weight", []int64{w, w}, normal(projection)},
			slot{block + "attn.out_proj.bias", []int64{w}, constant(0)},
		)
		all = append(all, norm(block+"ln_2", w)...)
		all = append(all,
			slot{block + "mlp.c_fc.weight", []int64{inner, w}, normal(expansion)},
			slot{block + "mlp.c_fc.bias", []int64{inner}, linear(width)},
			slot{block + "mlp.c_proj.weight", []int64{w, inner}, normal(projection)},
			slot{block + "mlp.c_proj.bias", []int64{w}, linear(mlp)},
		)
	}
	return all
}
