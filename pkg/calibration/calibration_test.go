package calibration

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/metrics"
)

// TestIntervalsHold: the rate of false alarms on further good pictures, and the recall on
// further bad ones, lie in the stated interval as often as it says, whatever the distribution.
func TestIntervalsHold(t *testing.T) {
	const trials = 4000
	random := rand.New(rand.NewPCG(1, 2))
	for name, d := range map[string]struct {
		draw func() float64
		tail func(x float64) float64 // probability of a value of at least x
	}{
		"uniform": {random.Float64, func(x float64) float64 { return 1 - x }},
		"crowded at 0": {func() float64 { return math.Pow(random.Float64(), 6) }, func(x float64) float64 {
			return 1 - math.Pow(x, 1./6)
		}},
	} {
		for _, c := range []struct {
			pictures int
			rate     float64
		}{{99, 0.01}, {40, 0.1}, {500, 0.02}} {
			held, recalled, sum := 0, 0, 0.0
			for range trials {
				scores := make([]float32, c.pictures)
				for i := range scores {
					scores[i] = float32(d.draw())
				}
				found, err := ForFalseAlarms(scores, c.rate)
				if err != nil {
					t.Fatal(err)
				}
				rate := d.tail(float64(found.Value))
				sum += rate
				if found.FalseAlarms.Low <= rate && rate <= found.FalseAlarms.High {
					held++
				}
				bad, err := ForRecall(scores, scores, 1-c.rate)
				if err != nil {
					t.Fatal(err)
				}
				if rate := d.tail(float64(bad.Value)); bad.Recall.Low <= rate && rate <= bad.Recall.High {
					recalled++
				}
			}
			// The counts have a binomial distribution with a standard deviation of 14.
			const want, slack = trials * Confidence, 60
			if math.Abs(float64(held)-want) > slack || math.Abs(float64(recalled)-want) > slack {
				t.Errorf("%s, %d pictures, %v: the intervals held %d and %d times of %d", name, c.pictures, c.rate, held, recalled, trials)
			}
			if mean := sum / trials; mean > c.rate*1.05 || mean < c.rate*0.8 {
				t.Errorf("%s, %d pictures: a rate of %v on average, want %v", name, c.pictures, mean, c.rate)
			}
		}
	}
}

func TestForFalseAlarms(t *testing.T) {
	scores := make([]float32, 99)
	for i := range scores {
		scores[i] = float32(i) / 100
	}
	found, err := ForFalseAlarms(scores, 0.01)
	if err != nil || found.Value != math.Nextafter32(0.98, 2) || found.FalseAlarms.Seen != 0 {
		t.Errorf("1%%: %+v, %v", found, err)
	}
	// 1 - 0.975^(1/99) and 1 - 0.025^(1/99)
	if low, high := found.FalseAlarms.Low, found.FalseAlarms.High; math.Abs(low-0.000255704) > 1e-8 || math.Abs(high-0.036577) > 1e-5 {
		t.Errorf("the interval is %v to %v", low, high)
	}
	if found, err := ForFalseAlarms(scores, 0.1); err != nil || found.Value != math.Nextafter32(0.89, 2) || reaching(scores, found.Value) != 9 {
		t.Errorf("10%%: %+v, %v", found, err)
	}
	var few *TooFewError
	if _, err := ForFalseAlarms(scores[:50], 0.01); !errors.As(err, &few) || few.Need != 99 || !strings.Contains(err.Error(), "50 good pictures are too few for a rate of 1%: it takes at least 99; with 50 the rate can be 1.96%") {
		t.Errorf("too few: %v", err)
	}
	if _, err := ForFalseAlarms(scores, 1e-300); !errors.As(err, &few) || few.Need != math.MaxInt32 {
		t.Errorf("a tiny rate: %v", err)
	}
	if found, err := ForFalseAlarms(scores, math.Nextafter(1, 0)); err != nil || found.Value != math.Nextafter32(0, 2) {
		t.Errorf("nearly all: %+v, %v", found, err)
	}
	equal := slices.Repeat([]float32{0.5}, 200)
	if found, err := ForFalseAlarms(equal, 0.05); err != nil || found.FalseAlarms.Seen != 0 {
		t.Errorf("equal scores: %+v, %v", found, err)
	}
	for name, c := range map[string]struct {
		scores []float32
		rate   float64
		want   error
	}{
		"none":      {nil, 0.1, ErrNoPictures},
		"NaN":       {[]float32{0, float32(math.NaN())}, 0.5, metrics.ErrNotFinite},
		"rate 0":    {scores, 0, ErrRate},
		"rate 1":    {scores, 1, ErrRate},
		"rate NaN":  {scores, math.NaN(), ErrRate},
		"saturated": {slices.Repeat([]float32{1}, 200), 0.05, ErrSaturated},
	} {
		if _, err := ForFalseAlarms(c.scores, c.rate); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLabelled(t *testing.T) {
	good, bad := []float32{0.1, 0.2, 0.3, 0.6}, []float32{0.5, 0.7, 0.8, 0.9}
	found, err := ForF1(good, bad)
	if err != nil || found.Value != 0.5 || found.FalseAlarms.Seen != 0.25 || found.Recall.Seen != 1 {
		t.Errorf("F1: %+v, %v", found, err)
	}
	// Clopper and Pearson for 1 of 4, and for 4 of 4.
	if r := found.FalseAlarms; math.Abs(r.Low-0.006309) > 1e-5 || math.Abs(r.High-0.805880) > 1e-5 {
		t.Errorf("false alarms from %v to %v", r.Low, r.High)
	}
	if r := found.Recall; math.Abs(r.Low-0.397635) > 1e-5 || r.High != 1 {
		t.Errorf("recall from %v to %v", r.Low, r.High)
	}
	if found, err := ForRecall(good, bad, 0.6); err != nil || found.Value != 0.7 || found.FalseAlarms.Seen != 0 {
		t.Errorf("recall: %+v, %v", found, err)
	}
	var few *TooFewError
	if _, err := ForRecall(good, bad, 0.9); !errors.As(err, &few) || few.Need != 9 {
		t.Errorf("too few: %v", err)
	}
	if _, err := ForF1(good, nil); !errors.Is(err, ErrNoPictures) {
		t.Errorf("no bad pictures: %v", err)
	}
}

// TestForPixelF1: the threshold is that of all pixels, also where the maxima of the maps would
// give another; the rates are of pictures.
func TestForPixelF1(t *testing.T) {
	pixels, err := metrics.NewPixels(metrics.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer pixels.Close()
	if _, _, err := ForPixelF1(pixels, []float32{0.5}, []float32{0.9}); !errors.Is(err, metrics.ErrOneClass) {
		t.Errorf("without pixels: %v", err)
	}
	for _, picture := range []struct {
		scores []float32
		mask   []uint8
	}{
		{[]float32{0.1, 0.2, 0.6, 0.1}, []uint8{0, 0, 0, 0}},
		{[]float32{0.9, 0.5, 0.4, 0.1}, []uint8{1, 1, 1, 0}},
		{[]float32{0.1, 0.3, 0.1, 0.1}, []uint8{0, 0, 0, 1}},
	} {
		if err := pixels.Add(picture.scores, picture.mask, 2, 2); err != nil {
			t.Fatal(err)
		}
	}
	good, bad := []float32{0.6}, []float32{0.9, 0.3}
	got, f1, err := ForPixelF1(pixels, good, bad)
	if err != nil {
		t.Fatal(err)
	}
	// Of 4 pixels from 0.4 on 3 are anomalous, of 4 anomalous ones 3 reach it.
	if got.Value != 0.4 || f1 != 0.75 || got.FalseAlarms.Seen != 1 || got.Recall.Seen != 0.5 {
		t.Errorf("%+v with recall %+v, F1 %v", got, got.Recall, f1)
	}
	if maxima, err := ForF1(good, bad); err != nil || maxima.Value == got.Value {
		t.Errorf("the maxima give %v, %v", maxima.Value, err)
	}
	if _, _, err := ForPixelF1(pixels, good, nil); !errors.Is(err, ErrNoPictures) {
		t.Errorf("without bad pictures: %v", err)
	}
}
