package anomalyclip

import (
	"context"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/model"
)

// cache keeps the features of training pictures. The vision tower is frozen, so they are
// the same in every epoch. Pictures that do not fit any more are computed at every step.
type cache struct {
	scope *torch.Scope // owns the features
	free  int64        // bytes left
	of    map[int]features
}

func newCache(s *torch.Scope, bytes int64) cache {
	return cache{scope: s, free: bytes, of: map[int]features{}}
}

// seeBatch returns the features of a training batch, which belong to s, without a graph.
// Pictures are computed one at a time, so that a picture's features have the same bits in
// every batch, whether they were kept or not: a training that resumes with an empty cache
// ends in the same bytes.
func (m *Model) seeBatch(ctx context.Context, s *torch.Scope, batch model.Batch) (joined features, err error) {
	if batch.Keys != nil && len(batch.Keys) != len(batch.ClassOf) {
		return features{}, fmt.Errorf("%d keys for %d pictures", len(batch.Keys), len(batch.ClassOf))
	}
	err = s.Within(func(inner *torch.Scope) error {
		return inner.NoGrad(func() error {
			each := make([]features, len(batch.ClassOf))
			for i := range each {
				if err := ctx.Err(); err != nil {
					return err
				}
				picture := batch.Pictures.Narrow(0, int64(i), 1)
				if batch.Keys == nil {
					each[i] = m.see(inner, picture)
				} else {
					each[i] = m.seeOnce(inner, picture, batch.Keys[i])
				}
			}
			joined = join(s, each)
			return nil
		})
	})
	return joined, err
}

// seeOnce returns the features of one picture [1, 3, S, S], kept ones if there are. They
// belong to s or to the cache.
func (m *Model) seeOnce(s *torch.Scope, picture torch.Tensor, key int) features {
	c := &m.cache
	if kept, found := c.of[key]; found {
		return kept
	}
	size := m.featureBytes()
	if size > c.free {
		return m.see(s, picture)
	}
	seen := m.see(c.scope, picture)
	c.free -= size
	c.of[key] = seen
	return seen
}

// featureBytes is the size of one picture's features.
func (m *Model) featureBytes() int64 {
	grid := int64(m.clip.Vision.Grid)
	vectors := int64(len(m.options.Levels))*grid*grid + 1
	return vectors * int64(m.clip.Arch.EmbedDim) * 4
}

// join concatenates the features of pictures. The result belongs to s.
func join(s *torch.Scope, each []features) features {
	concatenate := func(of func(features) torch.Tensor) torch.Tensor {
		return s.Eval(func() torch.Tensor {
			tensors := make([]torch.Tensor, len(each))
			for i := range each {
				tensors[i] = of(each[i])
			}
			return torch.Cat(0, tensors...)
		})
	}
	joined := features{image: concatenate(func(f features) torch.Tensor { return f.image })}
	for n := range each[0].levels {
		joined.levels = append(joined.levels, concatenate(func(f features) torch.Tensor { return f.levels[n] }))
	}
	return joined
}
