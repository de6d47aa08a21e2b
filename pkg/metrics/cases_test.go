package metrics

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// drawn is a case of testdata/cases.json, written by scripts/fixtures/metrics.py: the
// parameters of its random samples, and scikit-learn's results.
type drawn struct {
	Seed   uint64
	Kind   string
	Levels uint64
	Power  int
	Share  uint64
	Count  int

	Pictures, Height, Width, Cell int

	Limit                           float64
	AUROC, AP, F1, Threshold, AUPRO float64
	Regions                         uint64
}

const caseTolerance = 1e-9

func TestDrawnCases(t *testing.T) {
	content, err := os.ReadFile("testdata/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases struct{ Samples, Maps []drawn }
	if err := json.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases.Samples) != 1000 || len(cases.Maps) != 200 {
		t.Fatalf("%d cases of samples and %d of maps", len(cases.Samples), len(cases.Maps))
	}
	for i, c := range cases.Samples {
		labels := c.labels()
		got, err := Rank(c.scores(labels), labels)
		if err != nil {
			t.Fatal(err)
		}
		c.compare(t, fmt.Sprintf("samples %d", i), got)
	}
	for i, c := range cases.Maps {
		labels := c.masks()
		got := summary(t, Options{FPRLimit: c.Limit}, c.pictures(c.scores(labels), labels))
		c.compare(t, fmt.Sprintf("maps %d", i), got.Ranking)
		if got.Regions != c.Regions || math.Abs(got.AUPRO-c.AUPRO) > caseTolerance {
			t.Errorf("maps %d: %d regions with AUPRO %.17g, want %d with %.17g", i, got.Regions, got.AUPRO, c.Regions, c.AUPRO)
		}
	}
}

func (c drawn) compare(t *testing.T, name string, got Ranking) {
	t.Helper()
	for _, metric := range []struct {
		name      string
		got, want float64
	}{{"AUROC", got.AUROC, c.AUROC}, {"AP", got.AP, c.AP}, {"F1-max", got.F1Max, c.F1}} {
		if math.Abs(metric.got-metric.want) > caseTolerance {
			t.Errorf("%s: %s %.17g, want %.17g", name, metric.name, metric.got, metric.want)
		}
	}
	if got.F1Threshold != float32(c.Threshold) {
		t.Errorf("%s: threshold %v, want %v", name, got.F1Threshold, c.Threshold)
	}
}

// number returns the i-th number of splitmix64 with the given seed.
func number(seed uint64, i int) uint64 {
	x := seed + uint64(i+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (c drawn) labels() []bool {
	labels := make([]bool, c.Count)
	for i := range labels {
		labels[i] = number(c.Seed, i)>>32 < c.Share
	}
	labels[0], labels[c.Count-1] = true, false
	return labels
}

// masks returns the concatenated masks of all pictures.
func (c drawn) masks() []bool {
	rows, columns := (c.Height+c.Cell-1)/c.Cell, (c.Width+c.Cell-1)/c.Cell
	drawn := drawn{Seed: c.Seed, Share: c.Share, Count: c.Pictures * rows * columns}
	cells := drawn.labels()
	labels := make([]bool, c.Pictures*c.Height*c.Width)
	for i := range labels {
		column, row, picture := i%c.Width, i/c.Width%c.Height, i/c.Width/c.Height
		labels[i] = cells[(picture*rows+row/c.Cell)*columns+column/c.Cell]
	}
	return labels
}

func (c drawn) scores(labels []bool) []float32 {
	scores := make([]float32, len(labels))
	for i, anomalous := range labels {
		x := number(c.Seed+1, i)
		level := x >> 32 % c.Levels
		if anomalous {
			level = max(level, x&math.MaxUint32%c.Levels)
		}
		switch c.Kind {
		case "share":
			scores[i] = float32(level) / float32(c.Levels)
		case "near one":
			scores[i] = math.Float32frombits(math.Float32bits(1) - uint32(c.Levels-1-level))
		default:
			scores[i] = float32(math.Ldexp(float64(int64(level)-int64(c.Levels/2)), c.Power))
		}
	}
	return scores
}

func (c drawn) pictures(scores []float32, labels []bool) []picture {
	var pictures []picture
	size := c.Width * c.Height
	for from := 0; from < len(scores); from += size {
		p := picture{scores: scores[from : from+size], mask: make([]uint8, size), width: c.Width, height: c.Height}
		for i, anomalous := range labels[from : from+size] {
			if anomalous {
				p.mask[i] = 255
			}
		}
		pictures = append(pictures, p)
	}
	return pictures
}
