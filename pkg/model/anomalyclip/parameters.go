package anomalyclip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/model"
	"acdclip/pkg/model/anomalyclip/options"
	"acdclip/pkg/model/parameter"
	"acdclip/pkg/model/prompt"
)

// learned are the trainable parts of a model.
type learned struct {
	words      [prompt.States]torch.Tensor // of each state's prompt, [1, 1, E, D]
	deep       []torch.Tensor              // H_i, which enters text block i+2, [t, D]
	parameters parameter.List
}

// declare builds the parts of a model without tensors. It is the only place that lists the
// parameters.
func declare(o options.Model, arch pretrained.Arch) *learned {
	width := int64(arch.TextWidth)
	l := &learned{deep: make([]torch.Tensor, o.Depth-1)}
	add := func(into *torch.Tensor, name string, shape ...int64) {
		l.parameters.Add(into, model.TextSide, parameter.Normal(0.02), name, shape...)
	}
	add(&l.words[prompt.Normal], options.WordsNormal, 1, 1, int64(o.Words), width)
	add(&l.words[prompt.Abnormal], options.WordsAbnormal, 1, 1, int64(o.Words), width)
	for i := range l.deep {
		add(&l.deep[i], options.Deep(i), int64(o.Tokens), width)
	}
	return l
}
