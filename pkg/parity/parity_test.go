package parity

import (
	"math"
	"strings"
	"testing"

	"acdclip/pkg/metrics"
)

// compare returns the result for pictures of 2 x 1 pixels.
func compare(t *testing.T, single, other []Output, truth []Truth) Result {
	t.Helper()
	c := New("bf16", metrics.DefaultMemory)
	defer c.Close()
	for i := range single {
		if err := c.Add(single[i], other[i], truth[i]); err != nil {
			t.Fatal(err)
		}
	}
	r, err := c.Result()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func picture(score, left, right float32) Output { return Output{score, []float32{left, right}, 2, 1} }

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

func TestResult(t *testing.T) {
	good, bad := Truth{Labelled: true}, Truth{Labelled: true, Anomalous: true}
	masked := func(truth Truth, mask ...uint8) Truth { truth.Masked, truth.Mask = true, mask; return truth }
	single := []Output{picture(0.25, 0, 0.5), picture(0.5, 0.25, 0.75), picture(0.75, 1, 0.125)}
	other := []Output{picture(0.25, 0.125, 0.5), picture(0.875, 0.25, 0.5), picture(0.625, 1, 0.125)}

	r := compare(t, single, other, make([]Truth, 3))
	if !near(r.MapMean, 0.375/6) || r.MapLargest != 0.25 || !near(r.ScoreMean, 0.5/3) || r.ScoreLargest != 0.375 || r.Pictures != 3 || !near(*r.Spearman, 0.5) {
		t.Errorf("%+v", r)
	}
	if r.ImageAUROC != nil || r.PixelAUROC != nil {
		t.Errorf("AUROC without labels: %+v, %+v", r.ImageAUROC, r.PixelAUROC)
	}

	r = compare(t, single, other, []Truth{good, good, bad})
	if r.ImageAUROC == nil || *r.ImageAUROC != (Change{1, 0.5, -50}) || r.PixelAUROC != nil {
		t.Errorf("with labels: %+v, %+v", r.ImageAUROC, r.PixelAUROC)
	}
	if r = compare(t, single, other, []Truth{good, good, good}); r.ImageAUROC != nil {
		t.Errorf("with one label: %+v", r.ImageAUROC)
	}

	r = compare(t, single, other, []Truth{masked(good), masked(bad, 0, 1), bad})
	if r.PixelAUROC == nil || r.PixelAUROC.Single != 1 || !near(r.PixelAUROC.Other, 2.5/3) || !near(r.PixelAUROC.Points, -50./3) {
		t.Errorf("with masks: %+v", r.PixelAUROC)
	}
	if r = compare(t, single, other, []Truth{masked(good), masked(good), good}); r.PixelAUROC != nil {
		t.Errorf("with normal pixels alone: %+v", r.PixelAUROC)
	}
}

func TestAddRefusesOtherSizes(t *testing.T) {
	c := New("bf16", metrics.DefaultMemory)
	if err := c.Add(picture(0, 0, 0), Output{0, []float32{0, 0}, 1, 2}, Truth{}); err == nil {
		t.Error("a map of another shape was taken")
	}
}

// TestBounds checks what misses the bounds, and that the verdict says it.
func TestBounds(t *testing.T) {
	one, similar := 1.0, 0.956789
	for _, c := range []struct {
		r      Result
		missed int
		says   []string
	}{
		{Result{Precision: "int8", Pictures: 1, MapMean: 0.02}, 0, []string{"int8 keeps to the bounds on 1 picture: maps differ by 0.0200 on average (bound 0.02)"}},
		{Result{MapMean: 0.0201, Spearman: &one}, 1, []string{"misses the bound of maps on", "order of pictures is the same (rank correlation 1.0000)"}},
		{Result{MapMean: math.NaN()}, 1, nil},
		{Result{ImageAUROC: changed(0.5, 0.50499), Spearman: &similar}, 0, []string{"similar (rank correlation 0.9567)", "changes by +0.50 points (bound 0.5)"}},
		{Result{ImageAUROC: changed(0.5, 0.4949)}, 1, []string{"misses the bound of the image AUROC on", "by -0.51 points"}},
		{Result{ImageAUROC: changed(0.5, 0.49999)}, 0, []string{"by +0.00 points"}},
		{Result{MapMean: 1, ImageAUROC: changed(0, 1)}, 2, []string{"misses the bound of maps and the image AUROC on"}},
	} {
		if got := c.r.Missed(); len(got) != c.missed {
			t.Errorf("%+v misses %v", c.r, got)
		}
		for _, text := range c.says {
			if got := c.r.Verdict(); !strings.Contains(got, text) {
				t.Errorf("%q does not say %q", got, text)
			}
		}
	}
}

func TestTable(t *testing.T) {
	exact, almost := 1.0, 0.99999
	got := Table([]Result{
		{Precision: "bf16", MapMean: 0.125, MapLargest: 0.5, ScoreMean: 0.25, ScoreLargest: 1, Spearman: &exact, ImageAUROC: changed(0.5, 0.75)},
		{Precision: "int8", Spearman: &almost},
	})
	const want = `compared with fp32                      bf16        int8
map, mean difference                  0.1250      0.0000
map, largest difference               0.5000      0.0000
image score, mean difference          0.2500      0.0000
image score, largest difference       1.0000      0.0000
rank correlation of scores            1.0000      0.9999
image AUROC in fp32                   50.00%         n/a
image AUROC                           75.00%         n/a
image AUROC, points of change         +25.00         n/a
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
