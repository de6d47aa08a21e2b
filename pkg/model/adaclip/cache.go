package adaclip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/model"
)

// maxPrefixes is the maximum number of classes whose prefixes are kept for training. With
// ViT-L/14 a prefix takes about 2 MB.
const maxPrefixes = 128

// cache holds what training computes once for all epochs: CLIP is frozen.
type cache struct {
	scope    *torch.Scope         // owns the tensors
	prefixes map[string]prefix    // by the class's prompt name, at most maxPrefixes
	frozen   map[int]torch.Tensor // class embeddings e [1, E], by the picture's key
}

func newCache(s *torch.Scope) cache {
	return cache{scope: s, prefixes: map[string]prefix{}, frozen: map[int]torch.Tensor{}}
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

// cachedFrozen returns the class embeddings e [B, E] of a batch. Those of pictures with a
// key are computed once. Then a training step has one pass of the vision tower, not two.
func (m *Model) cachedFrozen(s *torch.Scope, embedded torch.Tensor, batch model.Batch) torch.Tensor {
	if !m.isDynamic() || len(batch.Keys) != len(batch.ClassOf) {
		return m.frozen(s, embedded)
	}
	rows := make([]torch.Tensor, len(batch.Keys))
	for i, key := range batch.Keys {
		row, found := m.cache.frozen[key]
		if !found {
			owner := m.cache.scope
			if key == model.NoKey {
				owner = s
			}
			row = m.frozenClass(owner, embedded.Narrow(0, int64(i), 1))
			if key != model.NoKey {
				m.cache.frozen[key] = row
			}
		}
		rows[i] = row
	}
	return torch.Cat(0, rows...)
}
