package metrics

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestKnownValues(t *testing.T) {
	cases := []struct {
		name      string
		scores    []float32
		labels    []bool
		auroc, ap float64
	}{
		{"perfect", []float32{0.1, 0.2, 0.8, 0.9}, []bool{false, false, true, true}, 1, 1},
		{"inverted", []float32{0.9, 0.8, 0.2, 0.1}, []bool{false, false, true, true}, 0, (1./3 + 2./4) / 2},
		{"all tied", []float32{5, 5, 5, 5}, []bool{false, true, false, false}, 0.5, 0.25},
		{"one tie across the classes", []float32{1, 2, 2, 3}, []bool{false, false, true, true}, 0.875, 0.5 + 0.5*2/3},
		{"scikit-learn's example", []float32{0.1, 0.4, 0.35, 0.8}, []bool{false, false, true, true}, 0.75, 0.5 + 0.5*2/3},
		{"zeros tie whatever their sign", []float32{negativeZero(), 0}, []bool{true, false}, 0.5, 0.5},
		{"negative scores", []float32{-3, -2, -1, -0.5}, []bool{false, true, false, true}, 0.75, 0.5 + 0.5*2/3},
		{"neighbouring floats", []float32{1, math.Nextafter32(1, 2)}, []bool{false, true}, 1, 1},
		{"extremes", []float32{-math.MaxFloat32, math.SmallestNonzeroFloat32, math.MaxFloat32}, []bool{false, false, true}, 1, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			compare(t, c.scores, c.labels, c.auroc, c.ap, 1e-15)
		})
	}
}

func TestNotDefined(t *testing.T) {
	cases := []struct {
		name   string
		scores []float32
		labels []bool
		want   error
	}{
		{"nothing", nil, nil, ErrOneClass},
		{"normal only", []float32{1, 2}, []bool{false, false}, ErrOneClass},
		{"anomalous only", []float32{1, 2}, []bool{true, true}, ErrOneClass},
		{"NaN", []float32{1, float32(math.NaN())}, []bool{false, true}, ErrNotFinite},
		{"infinity", []float32{1, float32(math.Inf(1))}, []bool{false, true}, ErrNotFinite},
		{"negative infinity", []float32{float32(math.Inf(-1)), 2}, []bool{false, true}, ErrNotFinite},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := AUROC(c.scores, c.labels); !errors.Is(err, c.want) {
				t.Errorf("AUROC: %v, want %v", err, c.want)
			}
			if _, err := AP(c.scores, c.labels); !errors.Is(err, c.want) {
				t.Errorf("AP: %v, want %v", err, c.want)
			}
		})
	}
	if _, err := AUROC([]float32{1, 2}, []bool{true}); err == nil || !strings.Contains(err.Error(), "2 scores, but 1 labels") {
		t.Errorf("lengths that differ: %v", err)
	}
}

// TestAgainstPairs compares with the definitions, pair by pair, where many scores tie.
func TestAgainstPairs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 400 {
		scores, labels := randomCase(random)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			compare(t, scores, labels, pairwiseAUROC(scores, labels), thresholdAP(scores, labels), 1e-12)
		})
	}
}

func TestLaws(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 100 {
		scores, labels := randomCase(random)
		auroc, ap := both(t, scores, labels)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			for name, monotone := range map[string]func(float32) float32{
				"scaled":    func(x float32) float32 { return x * 8 }, // exact
				"sigmoid's": func(x float32) float32 { return float32(math.Round(float64(x)*100)) - 1000 },
				"spread":    func(x float32) float32 { return float32(math.Exp2(math.Round(float64(x) * 100))) },
			} {
				mapped, mappedAP := both(t, transform(scores, monotone), labels)
				if mapped != auroc || mappedAP != ap {
					t.Errorf("%s: %v and %v, before %v and %v", name, mapped, mappedAP, auroc, ap)
				}
			}
			negated, _ := both(t, transform(scores, func(x float32) float32 { return -x }), labels)
			if math.Abs(negated-(1-auroc)) > 1e-15 {
				t.Errorf("AUROC of the negated scores %v, want 1 - %v", negated, auroc)
			}
			order := random.Perm(len(scores))
			shuffled, shuffledAP := both(t, permute(scores, order), permute(labels, order))
			if shuffled != auroc || shuffledAP != ap {
				t.Errorf("shuffled: %v and %v, before %v and %v", shuffled, shuffledAP, auroc, ap)
			}
		})
	}
}

// compare checks both metrics.
func compare(t *testing.T, scores []float32, labels []bool, auroc, ap, tolerance float64) {
	t.Helper()
	gotAUROC, gotAP := both(t, scores, labels)
	if math.Abs(gotAUROC-auroc) > tolerance {
		t.Errorf("AUROC %.17g, want %.17g", gotAUROC, auroc)
	}
	if math.Abs(gotAP-ap) > tolerance {
		t.Errorf("AP %.17g, want %.17g", gotAP, ap)
	}
}

func both(t *testing.T, scores []float32, labels []bool) (auroc, ap float64) {
	t.Helper()
	auroc, err := AUROC(scores, labels)
	if err != nil {
		t.Fatal(err)
	}
	ap, err = AP(scores, labels)
	if err != nil {
		t.Fatal(err)
	}
	return auroc, ap
}

// randomCase draws both classes, scores in hundredths so that they tie often.
func randomCase(random *rand.Rand) ([]float32, []bool) {
	n := 2 + random.IntN(700)
	levels := 1 + random.IntN(100)
	share := random.Float64()
	scores, labels := make([]float32, n), make([]bool, n)
	for i := range scores {
		labels[i] = random.Float64() < share
		scores[i] = float32(random.IntN(levels)-levels/3) / 100
	}
	labels[0], labels[n-1] = true, false
	return scores, labels
}

func pairwiseAUROC(scores []float32, labels []bool) float64 {
	var right, pairs float64
	for i, positive := range scores {
		for j, negative := range scores {
			if !labels[i] || labels[j] {
				continue
			}
			pairs++
			switch {
			case positive > negative:
				right++
			case positive == negative:
				right += 0.5
			}
		}
	}
	return right / pairs
}

func thresholdAP(scores []float32, labels []bool) float64 {
	thresholds := slices.Clone(scores)
	slices.Sort(thresholds)
	slices.Reverse(thresholds)
	thresholds = slices.Compact(thresholds)
	var positives float64
	for _, label := range labels {
		if label {
			positives++
		}
	}
	var ap, recall float64
	for _, threshold := range thresholds {
		var tp, found float64
		for i, score := range scores {
			if score >= threshold {
				found++
				if labels[i] {
					tp++
				}
			}
		}
		ap += (tp/positives - recall) * tp / found
		recall = tp / positives
	}
	return ap
}

func transform(scores []float32, f func(float32) float32) []float32 {
	mapped := make([]float32, len(scores))
	for i, score := range scores {
		mapped[i] = f(score)
	}
	return mapped
}

func permute[T any](values []T, order []int) []T {
	permuted := make([]T, len(values))
	for i, from := range order {
		permuted[i] = values[from]
	}
	return permuted
}

func negativeZero() float32 { return float32(math.Copysign(0, -1)) }
