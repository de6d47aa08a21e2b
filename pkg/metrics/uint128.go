package metrics

import "math/bits"

// uint128 is an exact sum: a billion pixels have more pairs than float64 can count
// exactly, and integer sums do not depend on the order.
type uint128 struct{ high, low uint64 }

func (u *uint128) add(v uint128) {
	var carry uint64
	u.low, carry = bits.Add64(u.low, v.low, 0)
	u.high, _ = bits.Add64(u.high, v.high, carry)
}

// times returns u times n, which must fit.
func (u uint128) times(n uint64) uint128 {
	high, low := bits.Mul64(u.low, n)
	return uint128{high + u.high*n, low}
}

// timesFraction returns u times n / 2^64, rounded down.
func (u uint128) timesFraction(n uint64) uint128 {
	high, low := bits.Mul64(u.high, n)
	carry, _ := bits.Mul64(u.low, n)
	product := uint128{high, low}
	product.add(uint128{0, carry})
	return product
}

func product(a, b uint64) uint128 {
	high, low := bits.Mul64(a, b)
	return uint128{high, low}
}

func (u uint128) less(v uint128) bool {
	return u.high < v.high || u.high == v.high && u.low < v.low
}

func (u uint128) float64() float64 { return float64(u.high)*(1<<64) + float64(u.low) }
