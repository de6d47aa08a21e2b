package kmeans

// products are the inner products of points after the mean of each column was subtracted.
type products struct {
	count  int
	values []float64 // [count, count]
}

func newProducts(points []float64, width int) products {
	p := products{count: len(points) / width}
	shifted := centred(points, width)
	p.values = make([]float64, p.count*p.count)
	for i := range p.count {
		for j := range i + 1 {
			product := dot(shifted[i*width:(i+1)*width], shifted[j*width:(j+1)*width])
			p.values[i*p.count+j], p.values[j*p.count+i] = product, product
		}
	}
	return p
}

// centred returns points minus the mean of each column.
func centred(points []float64, width int) []float64 {
	means, count := make([]float64, width), len(points)/width
	for i, value := range points {
		means[i%width] += value
	}
	shifted := make([]float64, len(points))
	for i, value := range points {
		shifted[i] = value - means[i%width]/float64(count)
	}
	return shifted
}

func dot(a, b []float64) float64 {
	var sum [4]float64 // independent sums let the processor overlap the additions
	for len(a) >= 4 && len(b) >= 4 {
		sum[0] += a[0] * b[0]
		sum[1] += a[1] * b[1]
		sum[2] += a[2] * b[2]
		sum[3] += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i := range a {
		sum[0] += a[i] * b[i]
	}
	return (sum[0] + sum[1]) + (sum[2] + sum[3])
}

// row returns the inner products of point i with all points.
func (p products) row(i int) []float64 { return p.values[i*p.count : (i+1)*p.count] }

// trace is the sum of the points' squared lengths.
func (p products) trace() (sum float64) {
	for i := range p.count {
		sum += p.row(i)[i]
	}
	return sum
}

// between is the squared distance of two points; 0 for equal ones.
func (p products) between(i, j int) float64 {
	return max(0, p.row(i)[i]-2*p.row(i)[j]+p.row(j)[j])
}

// centre is the mean of some points, or the mean of all points if it has none.
type centre struct {
	members  []int
	products []float64 // with each point
	square   float64   // of its length
}

func (p products) mean(members []int) centre {
	c := centre{members: members, products: make([]float64, p.count)}
	for _, member := range members {
		for i, product := range p.row(member) {
			c.products[i] += product
		}
	}
	for i := range c.products {
		c.products[i] /= float64(max(1, len(members)))
	}
	c.square = c.along(c)
	return c
}

// along is the inner product of two centres.
func (c centre) along(other centre) (sum float64) {
	for _, member := range other.members {
		sum += c.products[member]
	}
	return sum / float64(max(1, len(other.members)))
}

// distance is the squared distance of point i from a centre.
func (p products) distance(i int, c centre) float64 {
	return max(0, p.row(i)[i]-2*c.products[i]+c.square)
}

// squaredMoves is the sum of the squared distances between two lists of centres.
func squaredMoves(from, to []centre) (sum float64) {
	for i := range from {
		sum += max(0, from[i].square-2*from[i].along(to[i])+to[i].square)
	}
	return sum
}
