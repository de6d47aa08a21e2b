// Package acdclip is ACD-CLIP ("Architectural Co-Design for Zero-Shot Anomaly
// Detection", Ma et al.): Conv-LoRA adapters in a frozen CLIP's vision tower and
// a Dynamic Fusion Gateway between vision and text. Both presets and the
// ablations are options of the one model.
package acdclip

import (
	"errors"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/config"
	"acdclip/pkg/model"
)

// Model is ACD-CLIP on one CLIP. Its parameters, and what Loss keeps for its next
// call, belong to the Scope that New was given.
type Model struct {
	options    config.Model
	loss       config.Loss
	clip       *clip.Model
	tokenizer  *tokenizer.Tokenizer
	vision     []visionGroup
	text       []textGroup
	parameters []parameter
	prefixes   prefixes
}

var _ model.Trainable = (*Model)(nil)

type parameter struct {
	Definition
	tensor torch.Tensor
}

// visionGroup is what stands at the end of a group of vision blocks.
type visionGroup struct {
	adapter      visionAdapter
	merge        merge
	segmentation projection
	detection    *projection // nil where the class logits come from the class token
	gate         *gate       // nil with static fusion
}

// textGroup is what stands at the end of a group of text blocks.
type textGroup struct {
	adapter              textAdapter
	merge                merge
	normWeight, normBias torch.Tensor // [D]
}

// New builds the model. It is called inside Do; the parameters belong to s.
func New(s *torch.Scope, o model.Options) (*Model, error) {
	if err := errors.Join(o.Model.Validate(), o.Loss.Validate()); err != nil {
		return nil, err
	}
	if err := Check(o.CLIP.Arch, o.Model, o.Values); err != nil {
		return nil, err
	}
	m := &Model{options: o.Model, loss: o.Loss, clip: o.CLIP, tokenizer: o.Tokenizer, prefixes: prefixes{scope: s, of: map[string]prefix{}}}
	if err := m.load(s, o); err != nil {
		return nil, err
	}
	named := map[string]torch.Tensor{}
	for _, p := range m.parameters {
		named[p.Name] = p.tensor
	}
	for i := range o.Model.Groups {
		m.vision = append(m.vision, newVisionGroup(o.Model, named, fmt.Sprintf("visual.%d.", i)))
		m.text = append(m.text, newTextGroup(o.Model, named, fmt.Sprintf("text.%d.", i)))
	}
	return m, nil
}

// Check says why no model of these options can stand on a CLIP of that shape, or
// why values (nil: none) are not those of its parameters. Nothing is read for it but
// the lists of tensors, so that it can be asked before CLIP is loaded.
func Check(arch pretrained.Arch, o config.Model, values model.Values) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if err := fits(o, arch); err != nil {
		return fmt.Errorf("%w: %w", clip.ErrOptions, err)
	}
	if values == nil {
		return nil
	}
	definitions := Definitions(o, DimensionsOf(arch))
	specs := make([]checkpoint.Spec, len(definitions))
	for i, d := range definitions {
		specs[i] = d.Spec
	}
	return values.Match(specs)
}

// load makes the parameters, in s. Check has found that they fit.
func (m *Model) load(s *torch.Scope, o model.Options) error {
	for _, d := range Definitions(o.Model, DimensionsOf(o.CLIP.Arch)) {
		t, err := s.LoadFloat32(func(memory []float32) error {
			if o.Values != nil {
				return o.Values.Read(d.Name, memory)
			}
			d.Initialize(o.Seed, memory)
			return nil
		}, d.Shape...)
		if err != nil {
			return fmt.Errorf("parameter %s: %w", d.Name, err)
		}
		m.parameters = append(m.parameters, parameter{d, t})
	}
	return nil
}

// DimensionsOf gives the sizes of a CLIP.
func DimensionsOf(arch pretrained.Arch) Dimensions {
	return Dimensions{Vision: arch.VisionWidth, Text: arch.TextWidth}
}

// addedTokens is the most that a vocabulary may hold beyond that of CLIP's
// tokenizer: people add a few of their own, another tokenizer has many more.
const addedTokens = 1024

// fits checks the options against the CLIP.
func fits(o config.Model, arch pretrained.Arch) error {
	if arch.VocabSize < tokenizer.VocabularySize || arch.VocabSize > tokenizer.VocabularySize+addedTokens {
		return fmt.Errorf("this CLIP's vocabulary has %d tokens, and CLIP's tokenizer makes %d: it was made for another tokenizer", arch.VocabSize, tokenizer.VocabularySize)
	}
	for _, tower := range []struct {
		name  string
		depth int
	}{{"vision", arch.VisionLayers}, {"text", arch.TextLayers}} {
		if tower.depth%o.Groups != 0 {
			return fmt.Errorf("model.groups %d does not divide the %d blocks of this CLIP's %s tower", o.Groups, tower.depth, tower.name)
		}
	}
	if arch.EmbedDim != arch.TextWidth {
		return fmt.Errorf("this CLIP's text width %d differs from its embedding width %d; ACD-CLIP needs them equal, as in ViT-L/14", arch.TextWidth, arch.EmbedDim)
	}
	if margin := max(smoothing(config.Industrial).size, smoothing(config.Medical).size) / 2; o.Fusion.Smoothing == config.Gaussian && o.ImageSize/arch.Patch <= margin {
		return fmt.Errorf("model.fusion.smoothing gaussian needs more than %d patches a side, and image size %d has %d; raise model.image_size or set model.fusion.smoothing to none",
			margin, o.ImageSize/arch.Patch*arch.Patch, o.ImageSize/arch.Patch)
	}
	return nil
}

func newVisionGroup(o config.Model, named map[string]torch.Tensor, prefix string) visionGroup {
	g := visionGroup{
		adapter: visionAdapter{options: o.Adapter, down: named[prefix+"down"], up: named[prefix+"up"], fuse: named[prefix+"fuse"]},
		merge:   merge{o.Adapter.Merge, named[prefix+"blend"]},
	}
	for _, kernel := range o.Adapter.Kernels {
		b := branch{
			kernel: int64(kernel), down: g.adapter.down, up: g.adapter.up,
			convDown: named[fmt.Sprintf("%sconv_down.%d", prefix, kernel)], convUp: named[fmt.Sprintf("%sconv_up.%d", prefix, kernel)],
		}
		if o.Adapter.Projections == config.PerBranch {
			b.down, b.up = named[fmt.Sprintf("%sdown.%d", prefix, kernel)], named[fmt.Sprintf("%sup.%d", prefix, kernel)]
		}
		g.adapter.branches = append(g.adapter.branches, b)
	}
	g.segmentation = newProjection(named, prefix+"proj", prefix+"norm")
	if o.Classification.Feature == config.DetectionFeature {
		detection := newProjection(named, prefix+"det_proj", prefix+"det_norm")
		g.detection = &detection
	}
	if o.Fusion.Kind == config.DFG {
		g.gate = &gate{named[prefix+"gate.0.weight"], named[prefix+"gate.0.bias"], named[prefix+"gate.2.weight"], named[prefix+"gate.2.bias"]}
	}
	return g
}

func newProjection(named map[string]torch.Tensor, mlp, norm string) projection {
	return projection{
		named[mlp+".0.weight"], named[mlp+".0.bias"], named[mlp+".2.weight"], named[mlp+".2.bias"],
		named[norm+".weight"], named[norm+".bias"],
	}
}

func newTextGroup(o config.Model, named map[string]torch.Tensor, prefix string) textGroup {
	return textGroup{
		adapter:    textAdapter{o.Adapter, named[prefix+"A"], named[prefix+"B"]},
		merge:      merge{o.Adapter.Merge, named[prefix+"blend"]},
		normWeight: named[prefix+"norm.weight"], normBias: named[prefix+"norm.bias"],
	}
}

// Input states the pictures' size and CLIP's normalisation.
func (m *Model) Input() model.Input {
	return model.Input{
		Size: m.imageSize(),
		Mean: [3]float32{0.48145466, 0.4578275, 0.40821073},
		Std:  [3]float32{0.26862954, 0.26130258, 0.27577711},
	}
}

func (m *Model) imageSize() int { return m.clip.Vision.Grid * m.clip.Arch.Patch }

// Groups lists the text side's parameters, then the vision side's, gates included.
func (m *Model) Groups() []model.ParameterGroup {
	text, vision := model.ParameterGroup{Side: model.TextSide}, model.ParameterGroup{Side: model.VisionSide}
	for _, p := range m.parameters {
		group := &vision
		if p.text {
			group = &text
		}
		group.Parameters = append(group.Parameters, model.Parameter{Name: p.Name, Tensor: p.tensor})
	}
	return []model.ParameterGroup{text, vision}
}

// LimitGradients scales the gradient of each blending vector w, alone, to a length of at most 1.
func (m *Model) LimitGradients() {
	for _, p := range m.parameters {
		if p.blend {
			p.tensor.ClipGradNorm(config.BlendGradientNorm)
		}
	}
}
