package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// BenchmarkPooled collects maps of 518 x 518 with 2 % anomalous pixels and computes all metrics.
func BenchmarkPooled(b *testing.B) {
	const mapPixels = 518 * 518
	for _, pixels := range []int{1_000_000, 10_000_000} {
		scores, mask := benchmarkCase(pixels, 0.02)
		b.Run(fmt.Sprintf("%dM", pixels/1_000_000), func(b *testing.B) {
			b.SetBytes(int64(pixels)) // MB/s reads as million pixels a second
			b.ReportAllocs()
			for b.Loop() {
				var pooled Pooled
				for from := 0; from < pixels; from += mapPixels {
					to := min(from+mapPixels, pixels)
					if err := pooled.Add(scores[from:to], mask[from:to]); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := pooled.Summary(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAUROC has all scores at hand, so that collecting is parallel too.
func BenchmarkAUROC(b *testing.B) {
	scores, mask := benchmarkCase(10_000_000, 0.02)
	labels := make([]bool, len(mask))
	for i := range mask {
		labels[i] = mask[i] != 0
	}
	b.SetBytes(int64(len(scores)))
	for b.Loop() {
		if _, err := AUROC(scores, labels); err != nil {
			b.Fatal(err)
		}
	}
}

// benchmarkCase draws probabilities like an anomaly map's: crowded low for normal pixels, higher for anomalous ones.
func benchmarkCase(n int, share float64) ([]float32, []uint8) {
	random := rand.New(rand.NewPCG(8, 9))
	scores, mask := make([]float32, n), make([]uint8, n)
	for i := range scores {
		logit := random.NormFloat64() - 2
		if random.Float64() < share {
			mask[i] = 1
			logit += 2
		}
		scores[i] = float32(1 / (1 + math.Exp(-logit)))
	}
	return scores, mask
}
