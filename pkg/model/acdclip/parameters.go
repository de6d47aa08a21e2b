package acdclip

import (
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/parameter"
)

// Dimensions are the widths of CLIP that the shapes of the trainable parts depend on.
type Dimensions struct {
	Vision int // C: width of the vision tower
	Text   int // D: width of the text tower, equal to the embedding width
}

// parts are the trainable parts of a model.
type parts struct {
	vision     []visionGroup
	text       []textGroup
	parameters parameter.List  // all parameters of the groups
	blends     []*torch.Tensor // the blending vectors w, whose gradients are clipped
}

// Parameters lists every trainable parameter of a model, in a fixed order: vision groups,
// then text groups. Their tensors are undefined.
func Parameters(o options.Model, d Dimensions) parameter.List { return declare(o, d).parameters }

// declare builds the parts of a model without tensors. It is the only place that lists the
// parameters, each with its name, shape, initial values and field.
func declare(o options.Model, d Dimensions) *parts {
	p := &parts{vision: make([]visionGroup, o.Groups), text: make([]textGroup, o.Groups)}
	b := builder{options: o, width: int64(d.Vision), embed: int64(d.Text), hidden: int64(o.Adapter.HiddenFor(d.Vision)), side: model.VisionSide}
	for i := range p.vision {
		b.visionGroup(&p.vision[i], fmt.Sprintf("visual.%d.", i))
	}
	b.side = model.TextSide
	for i := range p.text {
		b.textGroup(&p.text[i], fmt.Sprintf("text.%d.", i))
	}
	p.parameters, p.blends = b.list, b.blends
	return p
}

type builder struct {
	options              options.Model
	width, embed, hidden int64 // C, D, h
	side                 model.Side
	list                 parameter.List
	blends               []*torch.Tensor
}

// add declares a parameter whose tensor is stored in into.
func (b *builder) add(into *torch.Tensor, name string, initial parameter.Initial, shape ...int64) {
	b.list.Add(into, b.side, initial, name, shape...)
}

func (b *builder) visionGroup(g *visionGroup, prefix string) {
	b.visionAdapter(&g.adapter, prefix)
	b.merge(&g.merge, prefix, b.width)
	b.projection(&g.segmentation, prefix+"proj", prefix+"norm")
	if b.options.Classification.Feature == options.DetectionFeature {
		g.detection = &projection{}
		b.projection(g.detection, prefix+"det_proj", prefix+"det_norm")
	}
	if b.options.Fusion.Kind == options.DFG {
		g.gate = &gate{}
		b.mlp(&g.gate.mlp, prefix+"gate", b.embed, int64(2*b.options.Groups))
	}
}

func (b *builder) visionAdapter(a *visionAdapter, prefix string) {
	a.options = b.options.Adapter
	rank, convRank := int64(a.options.Rank), int64(a.options.ConvRank)
	shared := a.options.Kind == options.LoRA || a.options.Projections == options.SharedProjections
	if shared {
		a.pairs = make([]pair, 1)
		b.pair(&a.pairs[0], prefix+"down", prefix+"up", b.width)
	}
	if a.options.Kind == options.LoRA {
		return
	}
	a.branches = make([]branch, len(a.options.Kernels))
	if !shared {
		a.pairs = make([]pair, len(a.branches))
	}
	for i := range a.branches {
		k := int64(a.options.Kernels[i])
		a.branches[i].kernel = k
		if !shared {
			b.pair(&a.pairs[i], fmt.Sprintf("%sdown.%d", prefix, k), fmt.Sprintf("%sup.%d", prefix, k), b.width)
		}
		b.add(&a.branches[i].convDown, fmt.Sprintf("%sconv_down.%d", prefix, k), b.convolution(rank*k*k), convRank, rank, k, k)
		b.add(&a.branches[i].convUp, fmt.Sprintf("%sconv_up.%d", prefix, k), b.convolution(convRank*k*k), rank, convRank, k, k)
	}
	joined := int64(len(a.branches)) * b.width
	b.add(&a.fuse, prefix+"fuse", parameter.TorchDefault(joined), b.width, joined, 1, 1)
}

func (b *builder) textGroup(g *textGroup, prefix string) {
	g.adapter.options = b.options.Adapter
	b.pair(&g.adapter.pair, prefix+"A", prefix+"B", b.embed)
	b.merge(&g.merge, prefix, b.embed)
	b.layerNorm(&g.norm, prefix+"norm")
}

// pair declares a pair of matrices [width, r] and [r, width].
func (b *builder) pair(p *pair, down, up string, width int64) {
	rank := int64(b.options.Adapter.Rank)
	if b.options.Adapter.Init == options.InitReleased {
		b.add(&p.down, down, parameter.Kaiming(rank), width, rank)
		b.add(&p.up, up, parameter.Normal(0.02), rank, width)
		return
	}
	b.add(&p.down, down, parameter.TorchDefault(width), width, rank)
	b.add(&p.up, up, parameter.Constant(0), rank, width)
}

func (b *builder) convolution(fanIn int64) parameter.Initial {
	if b.options.Adapter.Init == options.InitReleased {
		return parameter.Kaiming(fanIn)
	}
	return parameter.TorchDefault(fanIn)
}

// merge declares the vector w of a rescaling merge.
func (b *builder) merge(m *merge, prefix string, width int64) {
	m.kind = b.options.Adapter.Merge
	if m.kind != options.Rescale {
		return
	}
	b.add(&m.blend, prefix+"blend", parameter.Constant(0.2), 1, 1, width)
	b.blends = append(b.blends, &m.blend)
}

func (b *builder) projection(p *projection, layers, norm string) {
	b.mlp(&p.mlp, layers, b.width, b.embed)
	b.layerNorm(&p.norm, norm)
}

// mlp declares two linear layers, named by their indexes in PyTorch's Sequential.
func (b *builder) mlp(m *mlp, prefix string, in, out int64) {
	b.add(&m.weight0, prefix+".0.weight", parameter.TorchDefault(in), b.hidden, in)
	b.add(&m.bias0, prefix+".0.bias", parameter.TorchDefault(in), b.hidden)
	b.add(&m.weight2, prefix+".2.weight", parameter.TorchDefault(b.hidden), out, b.hidden)
	b.add(&m.bias2, prefix+".2.bias", parameter.TorchDefault(b.hidden), out)
}

func (b *builder) layerNorm(n *layerNorm, prefix string) {
	b.add(&n.weight, prefix+".weight", parameter.Constant(1), b.embed)
	b.add(&n.bias, prefix+".bias", parameter.Constant(0), b.embed)
}
