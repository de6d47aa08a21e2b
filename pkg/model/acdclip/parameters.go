package acdclip

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
)

// Dimensions are the sizes that CLIP gives to the trainable parts.
type Dimensions struct {
	Vision int // C: width of the vision tower
	Text   int // D: width of the text tower, equal to the embedding's
}

// Definition says what one trainable parameter is.
type Definition struct {
	checkpoint.Spec
	text    bool // belongs to the text side
	blend   bool // a blending vector w, whose gradient is limited
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

// initial draws a parameter's first values.
type initial func(random *rand.Rand) float32

// Initialize fills values with the parameter's initial values. They depend on
// seed and the parameter's name alone.
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
func Definitions(o config.Model, d Dimensions) []Definition {
	b := builder{options: o, width: int64(d.Vision), embed: int64(d.Text), hidden: int64(o.Adapter.HiddenFor(d.Vision))}
	for i := range o.Groups {
		b.visionGroup(fmt.Sprintf("visual.%d.", i))
	}
	b.text = true
	for i := range o.Groups {
		b.textGroup(fmt.Sprintf("text.%d.", i))
	}
	return b.list
}

type builder struct {
	options              config.Model
	width, embed, hidden int64 // C, D, h
	text                 bool
	list                 []Definition
}

func (b *builder) add(name string, initial initial, shape ...int64) {
	b.list = append(b.list, Definition{Spec: checkpoint.Spec{Name: name, Shape: shape}, text: b.text, initial: initial})
}

func (b *builder) visionGroup(prefix string) {
	b.visionAdapter(prefix)
	b.blend(prefix, b.width)
	b.projection(prefix+"proj", prefix+"norm")
	if b.options.Classification.Feature == config.DetectionFeature {
		b.projection(prefix+"det_proj", prefix+"det_norm")
	}
	if b.options.Fusion.Kind == config.DFG {
		b.mlp(prefix+"gate", b.embed, int64(2*b.options.Groups))
	}
}

func (b *builder) visionAdapter(prefix string) {
	a := b.options.Adapter
	rank, convRank := int64(a.Rank), int64(a.ConvRank)
	if a.Kind == config.LoRA || a.Projections == config.SharedProjections {
		b.lowRank(prefix+"down", prefix+"up", b.width)
	}
	if a.Kind == config.LoRA {
		return
	}
	for _, kernel := range a.Kernels {
		k := int64(kernel)
		if a.Projections == config.PerBranch {
			b.lowRank(fmt.Sprintf("%sdown.%d", prefix, k), fmt.Sprintf("%sup.%d", prefix, k), b.width)
		}
		b.add(fmt.Sprintf("%sconv_down.%d", prefix, k), b.convolution(rank*k*k), convRank, rank, k, k)
		b.add(fmt.Sprintf("%sconv_up.%d", prefix, k), b.convolution(convRank*k*k), rank, convRank, k, k)
	}
	joined := int64(len(a.Kernels)) * b.width
	b.add(prefix+"fuse", torchDefault(joined), b.width, joined, 1, 1)
}

func (b *builder) textGroup(prefix string) {
	b.lowRank(prefix+"A", prefix+"B", b.embed)
	b.blend(prefix, b.embed)
	b.layerNorm(prefix + "norm")
}

// lowRank adds the pair of matrices [width, r] and [r, width].
func (b *builder) lowRank(down, up string, width int64) {
	rank := int64(b.options.Adapter.Rank)
	if b.options.Adapter.Init == config.InitReleased {
		b.add(down, kaiming(rank), width, rank)
		b.add(up, normalDraw(0.02), rank, width)
		return
	}
	b.add(down, torchDefault(width), width, rank)
	b.add(up, constant(0), rank, width)
}

func (b *builder) convolution(fanIn int64) initial {
	if b.options.Adapter.Init == config.InitReleased {
		return kaiming(fanIn)
	}
	return torchDefault(fanIn)
}

// blend adds the vector w of a rescaling merge.
func (b *builder) blend(prefix string, width int64) {
	if b.options.Adapter.Merge != config.Rescale {
		return
	}
	b.add(prefix+"blend", constant(0.2), 1, 1, width)
	b.list[len(b.list)-1].blend = true
}

func (b *builder) projection(mlp, norm string) {
	b.mlp(mlp, b.width, b.embed)
	b.layerNorm(norm)
}

// mlp adds two linear layers, named by their places in PyTorch's Sequential.
func (b *builder) mlp(prefix string, in, out int64) {
	b.add(prefix+".0.weight", torchDefault(in), b.hidden, in)
	b.add(prefix+".0.bias", torchDefault(in), b.hidden)
	b.add(prefix+".2.weight", torchDefault(b.hidden), out, b.hidden)
	b.add(prefix+".2.bias", torchDefault(b.hidden), out)
}

func (b *builder) layerNorm(prefix string) {
	b.add(prefix+".weight", constant(1), b.embed)
	b.add(prefix+".bias", constant(0), b.embed)
}

// torchDefault is what PyTorch gives linear layers and convolutions: Kaiming
// uniform with a = sqrt(5), which is U(-1/sqrt(fanIn), 1/sqrt(fanIn)).
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

// alphaOverRoot is the scale alpha/sqrt(r).
func alphaOverRoot(o config.Adapter) float64 { return o.Alpha / math.Sqrt(float64(o.Rank)) }
