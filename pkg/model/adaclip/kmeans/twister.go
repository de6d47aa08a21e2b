package kmeans

const (
	stateLength = 624
	middle      = 397
)

// twister is the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), NumPy's legacy
// generator.
type twister struct {
	state [stateLength]uint32
	next  int // place in state of the next number; stateLength: none is left
}

// newTwister seeds like numpy.random.seed.
func newTwister(seed uint32) *twister {
	t := &twister{next: stateLength}
	t.state[0] = seed
	for i := uint32(1); i < stateLength; i++ {
		before := t.state[i-1]
		t.state[i] = 1812433253*(before^before>>30) + i
	}
	return t
}

func (t *twister) uint32() uint32 {
	if t.next == stateLength {
		t.refill()
	}
	y := t.state[t.next]
	t.next++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (t *twister) refill() {
	for i := range t.state {
		y := t.state[i]&0x80000000 | t.state[(i+1)%stateLength]&0x7fffffff
		t.state[i] = t.state[(i+middle)%stateLength] ^ y>>1
		if y&1 == 1 {
			t.state[i] ^= 0x9908b0df
		}
	}
	t.next = 0
}

// float64 is uniform in [0, 1), with 53 random bits.
func (t *twister) float64() float64 {
	high, low := t.uint32()>>5, t.uint32()>>6
	return (float64(high)*(1<<26) + float64(low)) / (1 << 53)
}
