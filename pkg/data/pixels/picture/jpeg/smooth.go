package jpeg

// A progressive file may end before all its coefficients are exact. libjpeg then estimates
// the first ones from the means of the surrounding 5x5 blocks, so that block edges are
// not visible (jdcoefct.c, decompress_smooth_data).

// smoothed is the number of estimated coefficients, in zigzag order, including the mean.
const smoothed = 10

// kernel is the weights of the means of 5x5 blocks; the centre is the block itself.
type kernel [5][5]int64

// Weights for horizontal frequencies; those for vertical frequencies are mirrored. The
// digits in the names are the vertical and horizontal frequency.
var (
	means00 = kernel{
		{-2, -6, -8, -6, -2},
		{-6, 6, 42, 6, -6},
		{-8, 42, 152, 42, -8},
		{-6, 6, 42, 6, -6},
		{-2, -6, -8, -6, -2},
	}
	means01 = kernel{
		{-1, -1, 0, 1, 1},
		{-3, 13, 0, -13, 3},
		{-3, 38, 0, -38, 3},
		{-3, 13, 0, -13, 3},
		{-1, -1, 0, 1, 1},
	}
	means02 = kernel{
		{},
		{0, 2, -5, 2, 0},
		{1, 7, -14, 7, 1},
		{0, 2, -5, 2, 0},
	}
	means03 = kernel{
		{},
		{0, 1, 0, -1, 0},
		{0, 2, 0, -2, 0},
		{0, 1, 0, -1, 0},
	}
	means11 = kernel{
		{-1, 0, 0, 0, 1},
		{0, 9, 0, -9, 0},
		{},
		{0, -9, 0, 9, 0},
		{1, 0, 0, 0, -1},
	}
	means12 = kernel{
		{},
		{0, 1, -3, 1, 0},
		{},
		{0, -1, 3, -1, 0},
	}
	sharp01 = kernel{2: {-7, 50, 0, -50, 7}}
	sharp02 = kernel{2: {-1, 13, -24, 13, -1}}
	sharp11 = kernel{
		{0, -1, 0, 1, 0},
		{-1, 10, 0, -10, 1},
		{},
		{1, -10, 0, 10, -1},
		{0, 1, 0, -1, 0},
	}
)

// meansOnly are the kernels if only the means of a component are known, in zigzag order.
var meansOnly = [smoothed]kernel{
	means00, means01, means01.mirrored(), means02.mirrored(), means11, means02,
	means03, means12, means12.mirrored(), means03.mirrored(),
}

// partly are the kernels if some other coefficients are known.
var partly = [smoothed]kernel{1: sharp01, 2: sharp01.mirrored(), 3: sharp02.mirrored(), 4: sharp11, 5: sharp02}

func (k kernel) mirrored() (m kernel) {
	for y := range k {
		for x := range k {
			m[x][y] = k[y][x]
		}
	}
	return m
}

// reconstruct computes the samples from all coefficients.
func (d *decoder) reconstruct() {
	smooth := d.frame.progressive && d.smoothable()
	for i := range d.frame.components {
		c := &d.frame.components[i]
		if c.coefficient == nil {
			continue // the samples were computed immediately
		}
		for y := range c.blocks.Y {
			for x := range c.blocks.X {
				samples := c.samples(x, y)
				switch {
				case c.quant == nil:
					fillBlock(samples, c.plane.stride, center)
				case smooth:
					b := d.estimated(c, x, y)
					b.inverse(c.quant, blockSize-1, samples, c.plane.stride)
				default:
					c.at(x, y).inverse(c.quant, blockSize-1, samples, c.plane.stride)
				}
			}
		}
	}
}

// smoothable reports whether smoothing is possible and changes anything.
func (d *decoder) smoothable() bool {
	useful := false
	for i := range d.frame.components {
		c := &d.frame.components[i]
		if c.quant == nil || c.accuracy[0] < 0 {
			return false
		}
		for k := range smoothed {
			if c.quant[zigzag[k]] == 0 {
				return false
			}
			useful = useful || k > 0 && c.accuracy[k] != 0
		}
	}
	return useful
}

// estimated returns a block with estimates in place of coefficients that are zero and not exact.
func (d *decoder) estimated(c *component, x, y int) block {
	accuracy := c.accuracy[:smoothed]
	if y/c.v > d.lastGood { // below the end of the truncated last scan
		accuracy = c.before[:]
		if d.scans == 1 {
			accuracy = unknown[:]
		}
	}
	kernels := &partly
	if [smoothed - 1]int8(accuracy[1:]) == [smoothed - 1]int8(unknown[1:]) {
		kernels = &meansOnly
	}
	means := d.meansAround(c, x, y)
	b := *c.at(x, y)
	for k := range kernels {
		at := zigzag[k]
		exact := accuracy[k] == 0 || b[at] != 0
		if kernels[k] == (kernel{}) || k > 0 && exact {
			continue
		}
		estimate := kernels[k].estimate(&means, int64(c.quant[0]), int64(c.quant[at]))
		if bits := accuracy[k]; k > 0 && bits > 0 {
			most := int64(1)<<bits - 1 // a larger value would change the known bits
			estimate = min(max(estimate, -most), most)
		}
		b[at] = int16(estimate)
	}
	return b
}

// unknown is the accuracy if nothing of the coefficients was read.
var unknown = [smoothed]int8{-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}

// estimate returns the weighted sum of the means, in units of step, with halves rounded away from zero.
func (k *kernel) estimate(means *kernel, meanStep, step int64) int64 {
	sum := int64(0)
	for y := range k {
		for x := range k {
			sum += k[y][x] * means[y][x]
		}
	}
	sum *= meanStep
	if sum < 0 {
		return -((step<<7 - sum) / (step << 8))
	}
	return (step<<7 + sum) / (step << 8)
}

// meansAround returns the means of the 5x5 blocks around a block. The outermost blocks
// are repeated beyond the picture.
func (d *decoder) meansAround(c *component, x, y int) (means kernel) {
	// The rows that libjpeg uses: in the last row of MCUs only rows with samples,
	// before it also padding rows.
	down := len(c.coefficient) / c.stride
	first, last := 0, down-1
	if mcuRow := y / c.v; mcuRow == down/c.v-1 {
		used := (c.blocks.Y-1)%c.v + 1
		last = c.blocks.Y - 1
		// libjpeg counts the rows above in units of the rows that the last MCUs use.
		if before := mcuRow*used + y%c.v; before < 2 {
			first = y - before
		}
	}
	for j := range means {
		row := min(max(y+j-2, first), last)
		for i := range means[j] {
			means[j][i] = int64(c.at(min(max(x+i-2, 0), c.blocks.X-1), row)[0])
		}
	}
	return means
}
