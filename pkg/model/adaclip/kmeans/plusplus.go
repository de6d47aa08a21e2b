package kmeans

import "math"

// even is the largest difference of totals that counts as none. Two candidates that are
// each other's nearest leave the same total but for rounding.
const even = 1e-9

// plusPlus chooses the points that the centres start from: each is the best of a few
// candidates, which are drawn with a probability in proportion to the squared distance from
// the nearest point chosen before (Arthur and Vassilvitskii, "k-means++").
func (p products) plusPlus(clusters int, random *twister) []int {
	first := min(p.count-1, int(float64(p.count)*random.float64()))
	chosen := []int{first}
	nearest := make([]float64, p.count) // squared distance of each point from the nearest chosen one
	for i := range nearest {
		nearest[i] = p.between(i, first)
	}
	draws := make([]float64, 2+int(math.Log(float64(clusters))))
	for len(chosen) < clusters {
		total := sum(nearest)
		for i := range draws {
			draws[i] = random.float64() * total
		}
		best, bestTotal := -1, 0.0
		var bestNearest []float64
		for _, draw := range draws {
			candidate := reach(nearest, draw)
			left := make([]float64, p.count)
			for i := range left {
				left[i] = min(nearest[i], p.between(i, candidate))
			}
			if remaining := sum(left); best < 0 || remaining < bestTotal-even {
				best, bestTotal, bestNearest = candidate, remaining, left
			}
		}
		chosen, nearest = append(chosen, best), bestNearest
	}
	return chosen
}

// reach returns the first place at which the running sum of values is at least target, or the last place.
func reach(values []float64, target float64) int {
	running := 0.0
	for i, value := range values {
		if running += value; running >= target {
			return i
		}
	}
	return len(values) - 1
}

func sum(values []float64) (total float64) {
	for _, value := range values {
		total += value
	}
	return total
}
