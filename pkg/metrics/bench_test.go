package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// BenchmarkPixels collects maps of 518 x 518 with 2 % anomalous pixels and computes all metrics.
func BenchmarkPixels(b *testing.B) {
	const side = 518
	for _, pictures := range []int{4, 40, 100} {
		scores, mask := drawnMaps(pictures, side)
		b.Run(fmt.Sprint(pictures), func(b *testing.B) {
			b.SetBytes(int64(len(scores))) // so that MB/s means million pixels per second
			b.ReportAllocs()
			for b.Loop() {
				pixels, err := NewPixels(Options{})
				if err != nil {
					b.Fatal(err)
				}
				for from := 0; from < len(scores); from += side * side {
					if err := pixels.Add(scores[from:from+side*side], mask[from:from+side*side], side, side); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := pixels.Summary(); err != nil {
					b.Fatal(err)
				}
				if err := pixels.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRank uses samples with randomly ordered labels, 2 % or 50 % of them anomalous.
func BenchmarkRank(b *testing.B) {
	for _, share := range []float64{0.02, 0.5} {
		random := rand.New(rand.NewPCG(8, 9))
		scores, labels := make([]float32, 10_000_000), make([]bool, 10_000_000)
		for i := range scores {
			labels[i] = random.Float64() < share
			scores[i] = drawnScore(random, labels[i])
		}
		b.Run(fmt.Sprint(share), func(b *testing.B) {
			b.SetBytes(int64(len(scores)))
			for b.Loop() {
				if _, err := Rank(scores, labels); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// drawnMaps draws square maps and masks, with a few rectangles in each mask.
func drawnMaps(pictures, side int) (scores []float32, mask []uint8) {
	random := rand.New(rand.NewPCG(8, 9))
	scores, mask = make([]float32, pictures*side*side), make([]uint8, pictures*side*side)
	for picture := range pictures {
		for range random.IntN(4) {
			h, w := 1+random.IntN(side/8), 1+random.IntN(side/8)
			y, x := random.IntN(side-h), random.IntN(side-w)
			for row := y; row < y+h; row++ {
				for column := x; column < x+w; column++ {
					mask[(picture*side+row)*side+column] = 255
				}
			}
		}
	}
	for i := range scores {
		scores[i] = drawnScore(random, mask[i] != 0)
	}
	return scores, mask
}

// drawnScore draws a probability like in an anomaly map: mostly low for normal pixels, higher for anomalous ones.
func drawnScore(random *rand.Rand, anomalous bool) float32 {
	logit := random.NormFloat64() - 2
	if anomalous {
		logit += 2
	}
	return float32(1 / (1 + math.Exp(-logit)))
}
