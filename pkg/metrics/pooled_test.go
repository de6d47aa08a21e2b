package metrics

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestManyRuns crosses every boundary inside: runs, cuts, ties at a cut. The
// expected values come from counting, which needs no sorting.
func TestManyRuns(t *testing.T) {
	const n = 3*runLength + 12345
	cases := []struct {
		name   string
		levels int
	}{{"one level", 1}, {"few levels", 3}, {"some levels", 5000}, {"many levels", 1 << 22}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(5, uint64(c.levels)))
			histogram := make([][2]uint64, c.levels)
			scores, mask := make([]float32, n), make([]uint8, n)
			for i := range scores {
				level := random.IntN(c.levels)
				if random.IntN(3) == 0 {
					mask[i] = 255
					level = max(level, random.IntN(c.levels))
				}
				histogram[level][mask[i]/255]++
				scores[i] = float32(level)/float32(c.levels) - 0.25
			}
			var pooled Pooled
			addInPieces(t, &pooled, scores, mask)
			got, err := pooled.Summary()
			if err != nil {
				t.Fatal(err)
			}
			auroc, ap := fromHistogram(histogram)
			if math.Abs(got.AUROC-auroc) > 1e-12 || math.Abs(got.AP-ap) > 1e-12 {
				t.Errorf("AUROC %v and AP %v, want %v and %v", got.AUROC, got.AP, auroc, ap)
			}
			if again, _ := pooled.Summary(); again != got {
				t.Errorf("a second time %+v, first %+v", again, got)
			}
			if merged := mergedInThree(t, scores, mask); merged != got {
				t.Errorf("merged %+v, want %+v", merged, got)
			}
		})
	}
}

func TestPooledErrors(t *testing.T) {
	var pooled Pooled
	if _, err := pooled.AUROC(); !errors.Is(err, ErrOneClass) {
		t.Errorf("empty: %v", err)
	}
	if err := pooled.Add([]float32{0.5, 0.25}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := pooled.AP(); !errors.Is(err, ErrOneClass) {
		t.Errorf("normal pixels only: %v", err)
	}
	if err := pooled.Add([]float32{1, 2}, []uint8{1}); err == nil {
		t.Error("a mask that is too short was taken")
	}
	if err := pooled.Add([]float32{1, float32(math.NaN())}, []uint8{1, 1}); !errors.Is(err, ErrNotFinite) {
		t.Errorf("NaN: %v", err)
	}
	if positives, negatives := pooled.Counts(); positives != 0 || negatives != 2 {
		t.Errorf("a refused picture left %d anomalous and %d normal pixels", positives, negatives-2)
	}
	if err := pooled.Add([]float32{1}, []uint8{7}); err != nil {
		t.Fatal(err)
	}
	if auroc, err := pooled.AUROC(); auroc != 1 || err != nil {
		t.Errorf("AUROC %v, %v after more was added", auroc, err)
	}
}

func TestPointsStop(t *testing.T) {
	var pooled Pooled
	scores, mask := benchmarkCase(2*runLength, 0.5)
	if err := pooled.Add(scores, mask); err != nil {
		t.Fatal(err)
	}
	var seen []uint32
	for point := range pooled.points() {
		if seen = append(seen, point.key); len(seen) == 10 {
			break
		}
	}
	if !slices.IsSortedFunc(seen, func(a, b uint32) int { return int(int64(b) - int64(a)) }) {
		t.Errorf("points are not in falling order: %v", seen)
	}
}

func TestKeysOrder(t *testing.T) {
	ordered := []float32{-math.MaxFloat32, -1, -math.SmallestNonzeroFloat32, 0, math.SmallestNonzeroFloat32, 0.5, 1, math.MaxFloat32}
	for i := range ordered[1:] {
		if keyOf(ordered[i]) >= keyOf(ordered[i+1]) {
			t.Errorf("key of %v is not below that of %v", ordered[i], ordered[i+1])
		}
	}
	if keyOf(negativeZero()) != keyOf(0) {
		t.Error("the zeros have two keys")
	}
	if keyOf(-math.MaxFloat32) == 0 {
		t.Error("a finite score has key 0")
	}
}

func TestSortKeys(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 7))
	for _, n := range []int{0, 1, fewKeys - 1, fewKeys, 5000, 100_000} {
		for _, mask := range []uint32{0, 0x7ff, 0x3ff800, 0xffc00000, 0xff, math.MaxUint32} {
			keys := make([]uint32, n)
			for i := range keys {
				keys[i] = random.Uint32() & mask
			}
			want := slices.Clone(keys)
			slices.Sort(want)
			if sorted, _ := sortKeys(keys, make([]uint32, n)); !slices.Equal(sorted, want) {
				t.Errorf("%d keys under %#x are not sorted", n, mask)
			}
		}
	}
}

func addInPieces(t *testing.T, pooled *Pooled, scores []float32, mask []uint8) {
	t.Helper()
	for len(scores) > 0 {
		n := min(50_001, len(scores))
		if err := pooled.Add(scores[:n], mask[:n]); err != nil {
			t.Fatal(err)
		}
		scores, mask = scores[n:], mask[n:]
	}
}

func mergedInThree(t *testing.T, scores []float32, mask []uint8) Summary {
	t.Helper()
	var parts [3]Pooled
	third := len(scores) / 3
	for i, from := range []int{2 * third, 0, third} {
		to := from + third
		if i == 0 {
			to = len(scores)
		}
		addInPieces(t, &parts[i], scores[from:to], mask[from:to])
	}
	parts[0].Merge(&parts[1])
	parts[0].Merge(&parts[2])
	if positives, negatives := parts[1].Counts(); positives+negatives != 0 {
		t.Error("a merged part is not empty")
	}
	summary, err := parts[0].Summary()
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// fromHistogram computes both metrics from the numbers of normal and anomalous samples at each level.
func fromHistogram(histogram [][2]uint64) (auroc, ap float64) {
	var positives, negatives float64
	for _, at := range histogram {
		negatives += float64(at[0])
		positives += float64(at[1])
	}
	var tp, fp float64
	for _, at := range slices.Backward(histogram) {
		p, n := float64(at[1]), float64(at[0])
		auroc += n / negatives * (tp + p/2) / positives
		tp += p
		fp += n
		if p > 0 {
			ap += p / positives * tp / (tp + fp)
		}
	}
	return auroc, ap
}
