package adaclip

import (
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/model"
	"acdclip/pkg/model/adaclip/options"
	"acdclip/pkg/model/parameter"
)

// Dimensions are the widths of CLIP that the shapes of the parameters depend on.
type Dimensions struct {
	Vision int // C: width of the vision tower
	Text   int // D: width of the text tower
	Embed  int // width of the embeddings of pictures and texts; D in ViT-L/14
}

// DimensionsOf returns the widths of a CLIP.
func DimensionsOf(arch pretrained.Arch) Dimensions {
	return Dimensions{Vision: arch.VisionWidth, Text: arch.TextWidth, Embed: arch.EmbedDim}
}

// parts are the trainable parts of a model.
type parts struct {
	visionTokens tokens   // of width C
	textTokens   tokens   // of width D
	heads        []linear // Wp_n, bp_n: from C to the embeddings' width
	class        linear   // Wc, bc: between embeddings
	parameters   parameter.List
}

// linear is a linear layer.
type linear struct{ weight, bias torch.Tensor } // [out, in], [out]

func (l linear) apply(x torch.Tensor) torch.Tensor { return x.Linear(l.weight, l.bias) }

// initialDeviation is that of static tokens.
const initialDeviation = 0.02

// declare builds the parts of a model without tensors. It is the only place that lists the
// parameters, each with its name, shape, initial values and field.
func declare(o *options.Model, d Dimensions) *parts {
	p := &parts{heads: make([]linear, o.NumLevels())}
	embed := int64(d.Embed)
	p.tokens(&p.visionTokens, model.VisionSide, "visual.", o.VisionTokens, o, int64(d.Vision), embed)
	for n := range p.heads {
		p.linear(&p.heads[n], model.VisionSide, fmt.Sprintf("visual.level.%d", n), int64(d.Vision), embed)
	}
	p.linear(&p.class, model.VisionSide, "visual.class", embed, embed)
	p.tokens(&p.textTokens, model.TextSide, "text.", o.TextTokens, o, int64(d.Text), embed)
	return p
}

// tokens declares the learned tokens of a tower.
func (p *parts) tokens(t *tokens, side model.Side, prefix string, kind options.Tokens, o *options.Model, width, embed int64) {
	t.precision = o.PromptTokens
	if kind != options.NoTokens {
		t.depth = o.NumBlocks()
	}
	if kind.HasStatic() {
		t.static = make([]torch.Tensor, o.NumBlocks())
	}
	for i := range t.static {
		p.parameters.Add(&t.static[i], side, parameter.Normal(initialDeviation), fmt.Sprintf("%sstatic.%d", prefix, i), int64(o.Length), width)
	}
	if kind.HasDynamic() {
		t.heads = make([]linear, o.Length)
	}
	for k := range t.heads {
		p.linear(&t.heads[k], side, fmt.Sprintf("%sdynamic.%d", prefix, k), embed, width)
	}
}

// linear declares a linear layer with PyTorch's initial values.
func (p *parts) linear(l *linear, side model.Side, prefix string, in, out int64) {
	initial := parameter.TorchDefault(in)
	p.parameters.Add(&l.weight, side, initial, prefix+".weight", out, in)
	p.parameters.Add(&l.bias, side, initial, prefix+".bias", out)
}
