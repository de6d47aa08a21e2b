package adaclip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
)

// features are what the vision tower with learned tokens makes of B pictures.
type features struct {
	patches []torch.Tensor // F_n: unit patch features of each level, [B, L, E]
	class   torch.Tensor   // c': the class embedding, not normalised, [B, E]
}

// observe receives the output of block i, from 0: the class token and the patches,
// [B, 1+L, C], or the tokens of all prompts, [P, L, D].
type observe func(i int, x torch.Tensor)

// frozenClass returns the class embedding e [B, E], not normalised, of the tower without
// learned tokens. embedded is Embed of the pictures. The result belongs to s and has no graph.
func (m *Model) frozenClass(s *torch.Scope, embedded torch.Tensor) (class torch.Tensor) {
	_ = s.NoGrad(func() error {
		return s.Within(func(inner *torch.Scope) error {
			class = s.Keep(m.classEmbedding(m.clip.Vision.ClassToken(inner, embedded)))
			return nil
		})
	})
	return class
}

// frozen is frozenClass, or undefined if no tower has dynamic tokens.
func (m *Model) frozen(s *torch.Scope, embedded torch.Tensor) torch.Tensor {
	if !m.isDynamic() {
		return torch.Tensor{}
	}
	return m.frozenClass(s, embedded)
}

func (m *Model) isDynamic() bool { return len(m.visionTokens.heads)+len(m.textTokens.heads) > 0 }

// classEmbedding is CLIP's embedding [B, E] of the class token among x [B, T, C].
func (m *Model) classEmbedding(x torch.Tensor) torch.Tensor {
	return m.clip.Vision.Head(x.Narrow(1, 0, 1)).Reshape(x.Dim(0), -1)
}

// encodeImage applies the tower with learned tokens to embedded, Embed of the pictures.
// dynamic are the pictures' dynamic tokens U [B, m, C], undefined without. The features
// belong to s. observer may be nil.
func (m *Model) encodeImage(s *torch.Scope, embedded, dynamic torch.Tensor, observer observe) (out features) {
	tower, own := m.clip.Vision, embedded.Dim(1)
	_ = s.Within(func(inner *torch.Scope) error {
		x := embedded
		for i := range tower.Depth {
			x = inner.Step(x, func(x torch.Tensor) torch.Tensor {
				return tower.Block(inner, i, m.enterVision(i, x, int(own), dynamic))
			})
			if observer != nil {
				observer(i, x.Narrow(1, 0, own))
			}
			if n := len(out.patches); n < len(m.levels) && i+1 == m.levels[n] {
				out.patches = append(out.patches, s.Eval(func() torch.Tensor {
					return m.heads[n].apply(x.Narrow(1, 1, own-1)).Normalize(-1)
				}))
			}
		}
		out.class = s.Keep(m.classEmbedding(x))
		return nil
	})
	return out
}

// enterVision puts the learned tokens of block i after the picture's own tokens x.
func (m *Model) enterVision(i int, x torch.Tensor, own int, dynamic torch.Tensor) torch.Tensor {
	if i >= m.visionTokens.depth {
		return x
	}
	rows := m.visionTokens.at(i, dynamic, x.Dim(0), 1)
	if i == 0 {
		return clip.AppendRows(x, rows)
	}
	return clip.ReplaceRows(x, own, rows)
}

// unitClass is c [B, E]: the class embedding c' after its own linear layer, of unit length.
func (m *Model) unitClass(class torch.Tensor) torch.Tensor { return m.class.apply(class).Normalize(-1) }
