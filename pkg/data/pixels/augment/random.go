package augment

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
)

// origin determines all random numbers of one picture in one epoch.
type origin struct {
	seed         uint64
	epoch, index int
}

// key returns the seed of the random stream of one part of the augmentation. The
// streams are independent, so draws for one part do not affect another.
func (o origin) key(part string) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d\x00%d\x00%d\x00%q", o.seed, o.epoch, o.index, part))
}

// applied draws whether a part applies, and returns the random stream for its parameters.
func (o origin) applied(part string, chance float64) (r *rand.Rand, ok bool) {
	r = stream(o.key(part))
	return r, r.Float64() < chance
}

func stream(key [32]byte) *rand.Rand { return rand.New(rand.NewChaCha8(key)) }

// between draws a number from [low, high).
func between(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }
