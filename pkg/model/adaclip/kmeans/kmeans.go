// Package kmeans is k-means clustering as scikit-learn's KMeans(n_init=1) computes it for
// dense float64 points after numpy.random.seed: the same random numbers, k-means++ with
// several candidates, and Lloyd's rounds. It is pure Go.
//
// Every centre is the mean of some of the points, so all distances follow from the inner
// products of the points. The width of the points matters only once, for these.
package kmeans

import "slices"

const (
	maxRounds = 300
	// tolerance times the mean variance of the columns is the largest sum of the centres'
	// squared moves after which the rounds end.
	tolerance = 1e-4
)

// Clustering is the result for k points.
type Clustering struct {
	Labels  []int   // [k]: the cluster of each point, less than the number of clusters; a cluster may be empty
	Inertia float64 // sum of the points' squared distances from their centres
}

// Cluster divides points, row-major [k, width] and finite, into clusters, at most k. The
// result depends only on the arguments. seed is numpy.random.seed's.
func Cluster(points []float64, width, clusters int, seed uint32) Clustering {
	if len(points) == 0 || width < 1 || clusters < 1 {
		return Clustering{Labels: make([]int, len(points)/max(width, 1))}
	}
	p := newProducts(points, width)
	starts := p.plusPlus(min(clusters, p.count), newTwister(seed))
	centres := make([]centre, len(starts))
	for i, start := range starts {
		centres[i] = p.mean([]int{start})
	}
	return p.rounds(centres, tolerance*p.trace()/float64(p.count*width))
}

// rounds moves the centres until the labels stay, or the squared moves sum to at most tol.
func (p products) rounds(centres []centre, tol float64) Clustering {
	var last []int
	for range maxRounds {
		labels := p.nearest(centres)
		next := p.means(labels, centres)
		moved := squaredMoves(centres, next)
		centres = next
		if slices.Equal(labels, last) {
			return Clustering{labels, p.inertia(labels, centres)}
		}
		if last = labels; moved <= tol {
			break
		}
	}
	labels := p.nearest(centres)
	return Clustering{labels, p.inertia(labels, centres)}
}

// nearest returns the nearest centre of each point, the first of equals.
func (p products) nearest(centres []centre) []int {
	labels := make([]int, p.count)
	for i := range labels {
		smallest := p.distance(i, centres[0])
		for j, c := range centres[1:] {
			if d := p.distance(i, c); d < smallest {
				labels[i], smallest = j+1, d
			}
		}
	}
	return labels
}

// means returns the means of the clusters. An empty cluster takes the point that is
// farthest from its own centre; several take the farthest first.
func (p products) means(labels []int, centres []centre) []centre {
	members := make([][]int, len(centres))
	for i, label := range labels {
		members[label] = append(members[label], i)
	}
	p.fillEmpty(members, labels, centres)
	next := make([]centre, len(centres))
	for i := range next {
		next[i] = p.mean(members[i])
	}
	return next
}

func (p products) fillEmpty(members [][]int, labels []int, centres []centre) {
	var empty []int
	for i := range members {
		if len(members[i]) == 0 {
			empty = append(empty, i)
		}
	}
	if len(empty) == 0 {
		return
	}
	distances, farthest := make([]float64, p.count), make([]int, p.count)
	for i := range distances {
		distances[i], farthest[i] = p.distance(i, centres[labels[i]]), i
	}
	if slices.Max(distances) == 0 {
		return // there are fewer different points than clusters
	}
	slices.SortStableFunc(farthest, func(a, b int) int { return descending(distances[a], distances[b]) })
	for i, cluster := range empty {
		moved := farthest[i]
		from := &members[labels[moved]]
		*from = slices.DeleteFunc(*from, func(point int) bool { return point == moved })
		members[cluster] = []int{moved}
	}
}

func descending(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}

func (p products) inertia(labels []int, centres []centre) (sum float64) {
	for i, label := range labels {
		sum += p.distance(i, centres[label])
	}
	return sum
}
