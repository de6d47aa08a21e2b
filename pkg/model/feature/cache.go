// Package feature keeps vision features of training pictures, for methods whose vision
// tower learns nothing: a picture that is not augmented has the same features in every
// epoch.
package feature

import (
	"context"
	"fmt"

	"acdclip/cgo/torch"
	"acdclip/pkg/model"
)

// Cache keeps the features of pictures until it is full. It never evicts: with a new order
// in each epoch that would not help.
type Cache struct {
	scope *torch.Scope // owns the features
	limit int64        // bytes
	held  int64        // bytes of the features
	half  bool         // features are rounded to float16
	of    map[int][]torch.Tensor
}

// NewCache returns a cache whose features belong to s.
func NewCache(s *torch.Scope, o model.FeatureCache) *Cache {
	return &Cache{scope: s, limit: o.Bytes, half: o.Half, of: map[int][]torch.Tensor{}}
}

// Held returns the number of pictures whose features are kept, and their bytes.
func (c *Cache) Held() (pictures int, bytes int64) { return len(c.of), c.held }

// Batch returns the features of a batch, each [B, ...], which belong to s, without a graph.
// see computes those of one picture [1, 3, S, S], which belong to its scope. Pictures are
// computed one at a time, so that a picture's features have the same bits in every batch,
// whether they were kept or not: a training that resumes with an empty cache ends in the
// same bytes.
func (c *Cache) Batch(ctx context.Context, s *torch.Scope, batch model.Batch, see func(s *torch.Scope, picture torch.Tensor) []torch.Tensor) (joined []torch.Tensor, err error) {
	if batch.Keys != nil && len(batch.Keys) != len(batch.ClassOf) {
		return nil, fmt.Errorf("%d keys for %d pictures", len(batch.Keys), len(batch.ClassOf))
	}
	err = s.Within(func(inner *torch.Scope) error {
		return inner.NoGrad(func() error {
			each := make([][]torch.Tensor, len(batch.ClassOf))
			for i := range each {
				if err := ctx.Err(); err != nil {
					return err
				}
				picture := batch.Pictures.Narrow(0, int64(i), 1)
				key := model.NoKey
				if batch.Keys != nil {
					key = batch.Keys[i]
				}
				each[i] = c.once(inner, picture, key, see)
			}
			joined = join(s, each)
			return nil
		})
	})
	return joined, err
}

// once returns the features of one picture, kept ones if there are, which are rounded
// whether they are kept or not. They belong to s or to the cache.
func (c *Cache) once(s *torch.Scope, picture torch.Tensor, key int, see func(*torch.Scope, torch.Tensor) []torch.Tensor) []torch.Tensor {
	if kept, found := c.of[key]; found {
		return kept
	}
	seen := see(s, picture)
	each := int64(4) // bytes of a value
	if c.half {
		each = 2
		for i, t := range seen {
			seen[i] = s.Keep(t.To(torch.Float16))
		}
	}
	size := int64(0)
	for _, t := range seen {
		size += each * t.NumElements()
	}
	if key == model.NoKey || size > c.limit-c.held {
		return seen
	}
	for _, t := range seen {
		c.scope.Keep(t)
	}
	c.held += size
	c.of[key] = seen
	return seen
}

// join concatenates the features of pictures. The results belong to s.
func join(s *torch.Scope, each [][]torch.Tensor) []torch.Tensor {
	if len(each) == 0 {
		return nil
	}
	joined := make([]torch.Tensor, len(each[0]))
	for n := range joined {
		joined[n] = s.Eval(func() torch.Tensor {
			column := make([]torch.Tensor, len(each))
			for i := range each {
				column[i] = each[i][n]
			}
			return torch.Cat(0, column...).To(torch.Float32)
		})
	}
	return joined
}
