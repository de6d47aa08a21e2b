package adaclip

import (
	"context"

	"acdclip/cgo/torch"
	"acdclip/pkg/model"
	"acdclip/pkg/model/feature"
)

// maxPrefixes is the maximum number of classes whose prefixes are kept for training. With
// ViT-L/14 a prefix takes about 2 MB.
const maxPrefixes = 128

// cache holds what training computes once for all epochs: CLIP is frozen.
type cache struct {
	scope    *torch.Scope      // owns the prefixes
	prefixes map[string]prefix // by the class's prompt name, at most maxPrefixes
	frozen   *feature.Cache    // class embeddings e [1, E] of pictures
}

func newCache(s *torch.Scope, features model.FeatureCache) cache {
	return cache{scope: s, prefixes: map[string]prefix{}, frozen: feature.NewCache(s, features)}
}

// cachedPrefix returns the prefix of a class, which belongs to s or to the cache.
func (m *Model) cachedPrefix(s *torch.Scope, name string) prefix {
	c := &m.cache
	if p, found := c.prefixes[name]; found {
		return p
	}
	if len(c.prefixes) >= maxPrefixes {
		return m.encodePrefix(s, m.tokenize(name))
	}
	p := m.encodePrefix(c.scope, m.tokenize(name))
	c.prefixes[name] = p
	return p
}

// cachedFrozen returns the class embeddings e [B, E] of a batch; undefined if no tower has
// dynamic tokens. Those of pictures with a key are computed once. Then a training step has
// one pass of the vision tower, not two.
func (m *Model) cachedFrozen(ctx context.Context, s *torch.Scope, batch model.Batch) (torch.Tensor, error) {
	if !m.isDynamic() {
		return torch.Tensor{}, nil
	}
	rows, err := m.cache.frozen.Batch(ctx, s, batch, func(s *torch.Scope, picture torch.Tensor) []torch.Tensor {
		return []torch.Tensor{m.frozenClass(s, m.clip.Vision.Embed(picture))}
	})
	if err != nil {
		return torch.Tensor{}, err
	}
	return rows[0], nil
}
