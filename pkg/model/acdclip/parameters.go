package acdclip

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/model/acdclip/options"
)

// Dimensions are the widths of CLIP that the shapes of the trainable parts depend on.
type Dimensions struct {
	Vision int // C: width of the vision tower
	Text   int // D: width of the text tower, equal to the embedding width
}

// Definition describes one trainable parameter.
type Definition struct {
	checkpoint.Spec
	text    bool // belongs to the text side
	blend   bool // a blending vector w, whose gradient is clipped
	initial initial
}

// NumElements is the number of values.
func (d Definition) NumElements() int64 {
	count := int64(1)
	for _, length := range d.Shape {
		count *= length
	}
	return count
}

// initial returns one initial value of a parameter.
type initial func(random *rand.Rand) float32

// Initialize fills values with the parameter's initial values, which depend only on seed
// and the parameter's name.
func (d Definition) Initialize(seed uint64, values []float32) {
	name := fnv.New64a()
	name.Write([]byte(d.Name))
	random := rand.New(rand.NewPCG(seed, name.Sum64()))
	for i := range values {
		values[i] = d.initial(random)
	}
}

// Definitions lists every trainable parameter of a model, in a fixed order:
// vision groups, then text groups.
func Definitions(o options.Model, d Dimensions) []Definition {
	var list []Definition
	for _, p := range declare(o, d).parameters {
		list = append(list, p.Definition)
	}
	return list
}

// parameter is a declared parameter and the field of the model that holds its tensor.
type parameter struct {
	Definition
	tensor *torch.Tensor
}

// parts are the trainable parts of a model.
type parts struct {
	vision     []visionGroup
	text       []textGroup
	parameters []parameter // all parameters of the groups
}

// declare builds the parts of a model without tensors. It is the only place that lists the
// parameters, each with its name, shape, initial values and field.
func declare(o options.Model, d Dimensions) *parts {
	p := &parts{vision: make([]visionGroup, o.Groups), text: make([]textGroup, o.Groups)}
	b := builder{options: o, width: int64(d.Vision), embed: int64(d.Text), hidden: int64(o.Adapter.HiddenFor(d.Vision))}
	for i := range p.vision {
		b.visionGroup(&p.vision[i], fmt.Sprintf("visual.%d.", i))
	}
	b.text = true
	for i := range p.text {
		b.textGroup(&p.text[i], fmt.Sprintf("text.%d.", i))
	}
	p.parameters = b.list
	return p
}

type builder struct {
	options              options.Model
	width, embed, hidden int64 // C, D, h
	text                 bool
	list                 []parameter
}

// add declares a parameter whose tensor is stored in into.
func (b *builder) add(into *torch.Tensor, name string, initial initial, shape ...int64) {
	b.list = append(b.list, parameter{Definition{Spec: checkpoint.Spec{Name: name, Shape: shape}, text: b.text, initial: initial}, into})
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
	b.add(&a.fuse, prefix+"fuse", torchDefault(joined), b.width, joined, 1, 1)
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
		b.add(&p.down, down, kaiming(rank), width, rank)
		b.add(&p.up, up, normalDraw(0.02), rank, width)
		return
	}
	b.add(&p.down, down, torchDefault(width), width, rank)
	b.add(&p.up, up, constant(0), rank, width)
}

func (b *builder) convolution(fanIn int64) initial {
	if b.options.Adapter.Init == options.InitReleased {
		return kaiming(fanIn)
	}
	return torchDefault(fanIn)
}

// merge declares the vector w of a rescaling merge.
func (b *builder) merge(m *merge, prefix string, width int64) {
	m.kind = b.options.Adapter.Merge
	if m.kind != options.Rescale {
		return
	}
	b.add(&m.blend, prefix+"blend", constant(0.2), 1, 1, width)
	b.list[len(b.list)-1].blend = true
}

func (b *builder) projection(p *projection, layers, norm string) {
	b.mlp(&p.mlp, layers, b.width, b.embed)
	b.layerNorm(&p.norm, norm)
}

// mlp declares two linear layers, named by their indexes in PyTorch's Sequential.
func (b *builder) mlp(m *mlp, prefix string, in, out int64) {
	b.add(&m.weight0, prefix+".0.weight", torchDefault(in), b.hidden, in)
	b.add(&m.bias0, prefix+".0.bias", torchDefault(in), b.hidden)
	b.add(&m.weight2, prefix+".2.weight", torchDefault(b.hidden), out, b.hidden)
	b.add(&m.bias2, prefix+".2.bias", torchDefault(b.hidden), out)
}

func (b *builder) layerNorm(n *layerNorm, prefix string) {
	b.add(&n.weight, prefix+".weight", constant(1), b.embed)
	b.add(&n.bias, prefix+".bias", constant(0), b.embed)
}

// torchDefault is PyTorch's default for linear layers and convolutions: Kaiming uniform
// with a = sqrt(5), which is U(-1/sqrt(fanIn), 1/sqrt(fanIn)).
func torchDefault(fanIn int64) initial { return uniform(1 / math.Sqrt(float64(fanIn))) }

// kaiming is Kaiming uniform with a = 0.
func kaiming(fanIn int64) initial { return uniform(math.Sqrt(6 / float64(fanIn))) }

func uniform(bound float64) initial {
	return func(random *rand.Rand) float32 { return float32((2*random.Float64() - 1) * bound) }
}

func normalDraw(deviation float64) initial {
	return func(random *rand.Rand) float32 { return float32(random.NormFloat64() * deviation) }
}

func constant(value float32) initial { return func(*rand.Rand) float32 { return value } }
