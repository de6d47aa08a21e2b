// Package dbscan clusters points by density (Ester et al., 1996), like scikit-learn's DBSCAN
// with Euclidean distances.
package dbscan

// Noise is the label of points that belong to no cluster.
const Noise = -1

// Cluster labels n points of the given width, row-major. Two points are neighbours if their
// distance is at most radius; a point is its own neighbour. A point with at least count
// neighbours is a core point. Clusters are the connected core points, numbered by their
// first core point. A neighbour of core points that is none itself joins the first cluster
// of theirs.
func Cluster(points []float32, width int, radius float64, count int) []int {
	n := len(points) / width
	neighbours := make([][]int, n)
	for i := range n {
		for j := range n {
			if near(points[i*width:][:width], points[j*width:][:width], radius) {
				neighbours[i] = append(neighbours[i], j)
			}
		}
	}
	labels := make([]int, n)
	for i := range labels {
		labels[i] = Noise
	}
	clusters := 0
	for i := range n {
		if labels[i] != Noise || len(neighbours[i]) < count {
			continue
		}
		labels[i] = clusters
		for waiting := []int{i}; len(waiting) > 0; {
			core := waiting[len(waiting)-1]
			waiting = waiting[:len(waiting)-1]
			for _, j := range neighbours[core] {
				if labels[j] != Noise {
					continue
				}
				labels[j] = clusters
				if len(neighbours[j]) >= count {
					waiting = append(waiting, j)
				}
			}
		}
		clusters++
	}
	return labels
}

// Largest returns the points of the cluster with the most points, the first of equals; nil
// if there is no cluster.
func Largest(labels []int) []int {
	var members [][]int
	for i, label := range labels {
		for label >= len(members) {
			members = append(members, nil)
		}
		if label != Noise {
			members[label] = append(members[label], i)
		}
	}
	var largest []int
	for _, points := range members {
		if len(points) > len(largest) {
			largest = points
		}
	}
	return largest
}

// Undecided counts the pairs of points whose distance is within margin of the radius, so
// that rounding may decide whether they are neighbours.
func Undecided(points []float32, width int, radius, margin float64) int {
	count := 0
	for i := range len(points) / width {
		for j := range i {
			a, b := points[i*width:][:width], points[j*width:][:width]
			if near(a, b, radius+margin) && !near(a, b, radius-margin) {
				count++
			}
		}
	}
	return count
}

// near reports whether the distance of two points is at most radius, in float64.
func near(a, b []float32, radius float64) bool {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return sum <= radius*radius
}
