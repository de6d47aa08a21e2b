package metrics

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestKnownValues(t *testing.T) {
	cases := []struct {
		name          string
		scores        []float32
		labels        []bool
		auroc, ap, f1 float64
		threshold     float32
	}{
		{"perfect", []float32{0.1, 0.2, 0.8, 0.9}, []bool{false, false, true, true}, 1, 1, 1, 0.8},
		{"inverted", []float32{0.9, 0.8, 0.2, 0.1}, []bool{false, false, true, true}, 0, (1./3 + 2./4) / 2, 2. / 3, 0.1},
		{"all tied", []float32{5, 5, 5, 5}, []bool{false, true, false, false}, 0.5, 0.25, 2. / 5, 5},
		{"one tie across the classes", []float32{1, 2, 2, 3}, []bool{false, false, true, true}, 0.875, 0.5 + 0.5*2/3, 4. / 5, 2},
		{"scikit-learn's example", []float32{0.1, 0.4, 0.35, 0.8}, []bool{false, false, true, true}, 0.75, 0.5 + 0.5*2/3, 4. / 5, 0.35},
		{"zeros tie whatever their sign", []float32{negativeZero(), 0}, []bool{true, false}, 0.5, 0.5, 2. / 3, 0},
		{"negative scores", []float32{-3, -2, -1, -0.5}, []bool{false, true, false, true}, 0.75, 0.5 + 0.5*2/3, 4. / 5, -2},
		{"neighbouring floats", []float32{1, math.Nextafter32(1, 2)}, []bool{false, true}, 1, 1, 1, math.Nextafter32(1, 2)},
		{"extremes", []float32{-math.MaxFloat32, math.SmallestNonzeroFloat32, math.MaxFloat32}, []bool{false, false, true}, 1, 1, 1, math.MaxFloat32},
		{"the lowest of two thresholds", []float32{9, 8, 7, 6, 5}, []bool{true, false, true, false, true}, 0.5, (1 + 2./3 + 3./5) / 3, 3. / 4, 5},
		{"equal F1 at two thresholds", []float32{4, 3, 2, 1}, []bool{true, false, false, true}, 0.5, 0.75, 2. / 3, 1},
	}
	for _, c := range cases {
		got, err := Rank(c.scores, c.labels)
		if err != nil {
			t.Fatal(err)
		}
		for _, metric := range []struct {
			name      string
			got, want float64
		}{{"AUROC", got.AUROC, c.auroc}, {"AP", got.AP, c.ap}, {"F1-max", got.F1Max, c.f1}} {
			if math.Abs(metric.got-metric.want) > 1e-15 {
				t.Errorf("%s: %s %v, want %v", c.name, metric.name, metric.got, metric.want)
			}
		}
		if got.F1Threshold != c.threshold || math.Signbit(float64(got.F1Threshold)) != math.Signbit(float64(c.threshold)) {
			t.Errorf("%s: threshold %v, want %v", c.name, got.F1Threshold, c.threshold)
		}
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
		if _, err := Rank(c.scores, c.labels); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := Rank([]float32{1, 2}, []bool{true}); err == nil || !strings.Contains(err.Error(), "2 scores but 1 labels") {
		t.Errorf("lengths that differ: %v", err)
	}
	scores, labels := make([]float32, 40_000), make([]bool, 40_000)
	scores[39_999] = float32(math.NaN())
	if _, err := Rank(scores, labels); err == nil || !strings.Contains(err.Error(), "NaN at index 39999") {
		t.Errorf("the last of many scores is NaN: %v", err)
	}
}

func TestLaws(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range 100 {
		scores, labels := randomCase(random)
		want := rank(t, scores, labels)
		for name, monotone := range map[string]func(float32) float32{
			"scaled":  func(x float32) float32 { return x * 8 }, // exact
			"shifted": func(x float32) float32 { return float32(math.Round(float64(x)*100)) - 1000 },
			"spread":  func(x float32) float32 { return float32(math.Exp2(math.Round(float64(x) * 100))) },
		} {
			got := rank(t, transform(scores, monotone), labels)
			if got.F1Threshold != monotone(want.F1Threshold) {
				t.Errorf("case %d, %s: threshold %v, want that of %v", i, name, got.F1Threshold, want.F1Threshold)
			}
			if got.F1Threshold = want.F1Threshold; got != want {
				t.Errorf("case %d, %s: %+v, want %+v", i, name, got, want)
			}
		}
		negated := rank(t, transform(scores, func(x float32) float32 { return -x }), labels)
		if math.Abs(negated.AUROC-(1-want.AUROC)) > 1e-15 {
			t.Errorf("case %d: AUROC of the negated scores %v, want 1 - %v", i, negated.AUROC, want.AUROC)
		}
		order := random.Perm(len(scores))
		if got := rank(t, permute(scores, order), permute(labels, order)); got != want {
			t.Errorf("case %d, shuffled: %+v, want %+v", i, got, want)
		}
	}
}

func rank(t *testing.T, scores []float32, labels []bool) Ranking {
	t.Helper()
	ranking, err := Rank(scores, labels)
	if err != nil {
		t.Fatal(err)
	}
	return ranking
}

// randomCase draws samples of both classes, with scores in hundredths so that ties are frequent.
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
