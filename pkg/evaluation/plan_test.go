package evaluation

import (
	"math/rand/v2"
	"slices"
	"testing"

	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/scoring"
)

// TestDeal checks that every batch is assigned to exactly one share, that the programs of
// all shares agree, and that shares differ by less than N batches, regardless of the
// number of classes.
func TestDeal(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 400 {
		of, batch := 1+r.IntN(12), 1+r.IntN(8)
		dealt, counted := make(deal, of), make([]int, of)
		for range 1 + r.IntN(60) {
			pictures := r.IntN(1 + r.IntN(3*of*batch))
			least := slices.Min(dealt)
			first := dealt.class(pictures, batch)
			if first < 0 || first >= of || counted[first] != least {
				t.Fatalf("share %d begins, and shares had %v", first, counted)
			}
			for share := range of { // as Evaluation.batches goes about it
				for i, places := range scoring.Chunks(pictures, batch) {
					if (finished.Share{Index: share + 1, Of: of}).Has(first + i) {
						counted[share] += len(places)
					}
				}
			}
			if !slices.Equal(counted, dealt) {
				t.Fatalf("%d shares have %v, and were dealt %v", of, counted, dealt)
			}
		}
		if ahead := slices.Max(counted) - slices.Min(counted); ahead > max(1, of-1)*batch {
			t.Errorf("%d shares, batches of %d: %v", of, batch, counted)
		}
	}
}

// TestPlanIsOneForAllShares checks that all plans start each class at the same share and can be merged.
func TestPlanIsOneForAllShares(t *testing.T) {
	o := threeJobs(t)
	var first *finished.Plan
	for index := 1; index <= 4; index++ {
		o.Share = finished.Share{Index: index, Of: 4}
		e := begin(t, o)
		plan := e.Plan()
		e.Close()
		if first == nil {
			first = &plan
		}
		if err := first.Joins(&plan); err != nil || !slices.EqualFunc(first.First, plan.First, slices.Equal[[]int]) {
			t.Errorf("share %d: %v, %v, want %v", index, err, plan.First, first.First)
		}
	}
	if len(first.First) != 3 || len(first.First[0]) != 2 {
		t.Errorf("%v", first.First)
	}
}
