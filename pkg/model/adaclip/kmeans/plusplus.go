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
	candidates := make([]int, 2+int(math.Log(float64(clusters))))
	for len(chosen) < clusters {
		total := sum(nearest)
		for i := range candidates {
			candidates[i] = reach(nearest, random.float64()*total)
		}
		var next int
		next, nearest = p.best(candidates, nearest)
		chosen = append(chosen, next)
	}
	return chosen
}

// best returns the candidate that leaves the smallest total of the points' squared
// distances from the nearest chosen point, the first of equals, and these distances.
func (p products) best(candidates []int, nearest []float64) (chosen int, left []float64) {
	smallest := math.Inf(1)
	for _, candidate := range candidates {
		distances := make([]float64, p.count)
		for i := range distances {
			distances[i] = min(nearest[i], p.between(i, candidate))
		}
		if total := sum(distances); left == nil || total < smallest-even {
			chosen, left, smallest = candidate, distances, total
		}
	}
	return chosen, left
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
