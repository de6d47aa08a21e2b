package parameter

import (
	"math"
	"math/rand/v2"
)

// Initial returns one initial value of a parameter.
type Initial func(random *rand.Rand) float32

// TorchDefault is PyTorch's default for linear layers and convolutions: Kaiming uniform
// with a = sqrt(5), which is U(-1/sqrt(fanIn), 1/sqrt(fanIn)).
func TorchDefault(fanIn int64) Initial { return uniform(1 / math.Sqrt(float64(fanIn))) }

// Kaiming is Kaiming uniform with a = 0.
func Kaiming(fanIn int64) Initial { return uniform(math.Sqrt(6 / float64(fanIn))) }

func uniform(bound float64) Initial {
	return func(random *rand.Rand) float32 { return float32((2*random.Float64() - 1) * bound) }
}

// Normal is the normal distribution with mean 0.
func Normal(deviation float64) Initial {
	return func(random *rand.Rand) float32 { return float32(random.NormFloat64() * deviation) }
}

// Constant is one value.
func Constant(value float32) Initial { return func(*rand.Rand) float32 { return value } }
