package adaclip

import (
	"cmp"
	"slices"
	"sync"

	"acdclip/cgo/torch"
	"acdclip/pkg/model/adaclip/kmeans"
	"acdclip/pkg/model/prompt"
)

// patchesPerCluster times the number of clusters is the number of patches that are clustered.
const patchesPerCluster = 5

// clusters are the most abnormal patches of one picture and the cluster of each.
type clusters struct {
	places []int64 // of the patches, the most abnormal first
	labels []int
}

// clusterPatches clusters the most abnormal patches of each of B pictures, with the unit
// patch features F_n [B, L, E] of each level and the mean of their logits [B, L, 2]. It
// records no graph. It reads the logits' differences, B L values, and then the features of
// the chosen patches back from the device.
func (m *Model) clusterPatches(s *torch.Scope, patches []torch.Tensor, logits torch.Tensor) (found []clusters) {
	_ = s.NoGrad(func() error {
		return s.Within(func(inner *torch.Scope) error {
			difference := logits.Narrow(2, prompt.Abnormal, 1).Sub(logits.Narrow(2, prompt.Normal, 1))
			count := int(logits.Dim(1))
			for values := range slices.Chunk(difference.Float32s(), count) {
				found = append(found, clusters{places: largest(values, patchesPerCluster*m.options.HSF.Clusters)})
			}
			m.label(found, joinLevels(inner, patches, found))
			return nil
		})
	})
	return found
}

// largest returns the places of the count largest values, the largest first and the lower
// place first of equals.
func largest(values []float32, count int) []int64 {
	places := make([]int64, len(values))
	for i := range places {
		places[i] = int64(i)
	}
	slices.SortStableFunc(places, func(a, b int64) int { return cmp.Compare(values[b], values[a]) })
	return places[:min(count, len(places))]
}

// joinLevels returns the features of the chosen patches of each picture, joined over the
// levels: [B, k, N E].
func joinLevels(s *torch.Scope, patches []torch.Tensor, chosen []clusters) torch.Tensor {
	count, width := patches[0].Dim(1), patches[0].Dim(2)
	var rows []int64
	for i, c := range chosen {
		for _, place := range c.places {
			rows = append(rows, int64(i)*count+place)
		}
	}
	index := s.FromInt64(rows, int64(len(rows)))
	levels := make([]torch.Tensor, len(patches))
	for n, level := range patches {
		levels[n] = level.Reshape(-1, width).IndexSelect(0, index)
	}
	return torch.Cat(1, levels...).Reshape(int64(len(chosen)), -1, int64(len(levels))*width)
}

// label clusters the chosen patches of each picture, whose features are [B, k, N E].
func (m *Model) label(chosen []clusters, features torch.Tensor) {
	width := int(features.Dim(2))
	values := features.Float64s()
	each := len(values) / len(chosen)
	var wait sync.WaitGroup
	for i := range chosen {
		wait.Go(func() {
			points := values[i*each : (i+1)*each]
			chosen[i].labels = kmeans.Cluster(points, width, m.options.HSF.Clusters, uint32(m.options.HSF.Seed)).Labels
		})
	}
	wait.Wait()
}

// weights returns the share of each of count patches in the mean of the clusters' means.
// Empty clusters are left out.
func (c clusters) weights(count int64) []float32 {
	sizes := map[int]int{}
	for _, label := range c.labels {
		sizes[label]++
	}
	shares := make([]float32, count)
	for i, label := range c.labels {
		shares[c.places[i]] = float32(1 / float64(len(sizes)*sizes[label]))
	}
	return shares
}

// clusterFeature returns h [B, E]: the mean over clusters of the mean of their patches'
// features at all levels, of unit length. Gradients flow through the features.
func clusterFeature(s *torch.Scope, patches []torch.Tensor, found []clusters) torch.Tensor {
	count, width := patches[0].Dim(1), patches[0].Dim(2)
	var shares []float32
	for _, c := range found {
		shares = append(shares, c.weights(count)...)
	}
	batch := int64(len(found))
	weights := s.FromFloat32(shares, batch, 1, count)
	var sum torch.Tensor
	for n, level := range patches {
		part := weights.MatMul(level).Reshape(batch, width)
		if n == 0 {
			sum = part
		} else {
			sum = sum.Add(part)
		}
	}
	return sum.Normalize(-1) // the number of levels drops out
}

// imageFeature returns b [B, E]: the unit class embedding c [B, E] blended with the cluster
// feature, of unit length; c itself without the fusion.
func (m *Model) imageFeature(s *torch.Scope, class torch.Tensor, patches []torch.Tensor, logits torch.Tensor) torch.Tensor {
	weight := m.options.HSF.Weight
	if weight == 0 {
		return class
	}
	h := clusterFeature(s, patches, m.clusterPatches(s, patches, logits))
	return h.MulScalar(weight).Add(class.MulScalar(1 - weight)).Normalize(-1)
}
