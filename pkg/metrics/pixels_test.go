package metrics

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestSameBits collects the same pictures in many ways: in any order, mirrored, with any
// number of workers, in memory and on disk, and in merged parts.
func TestSameBits(t *testing.T) {
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(11, seed))
		pictures := somePictures(random, 2+random.IntN(12))
		want := summary(t, Options{}, pictures)
		for i := range 12 {
			shuffled := slices.Clone(pictures)
			random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			for j := range shuffled {
				if random.IntN(2) == 0 {
					shuffled[j] = shuffled[j].mirrored()
				}
			}
			all := crampedPixels(t, 1+random.IntN(4), 1+random.IntN(5000), random.Int64N(300_000))
			for len(shuffled) > 0 {
				n := 1 + random.IntN(len(shuffled))
				part := crampedPixels(t, 1+random.IntN(4), 1+random.IntN(5000), random.Int64N(50_000))
				addAll(t, part, shuffled[:n])
				shuffled = shuffled[n:]
				readInto(t, all, part)
			}
			if got := summarize(t, all); got != want {
				t.Fatalf("seed %d, way %d: %+v, want %+v", seed, i, got, want)
			}
			if again := summarize(t, all); again != want {
				t.Fatalf("a second time: %+v, want %+v", again, want)
			}
		}
	}
}

// TestManySizes uses more region sizes than a run has tags: a stripe of each length, in every second row.
func TestManySizes(t *testing.T) {
	const side = 2 * (sizesOfRun + 50)
	random := rand.New(rand.NewPCG(30, 31))
	p := picture{make([]float32, side*side), make([]uint8, side*side), side, side}
	for row := 0; row < side; row += 2 {
		for column := range row/2 + 1 {
			p.mask[row*side+column] = 1
		}
	}
	for i := range p.scores {
		p.scores[i] = drawnScore(random, p.mask[i] != 0)
	}
	want := summary(t, Options{}, []picture{p, p.mirrored()})
	if want.Regions != side {
		t.Errorf("%d regions, want %d", want.Regions, side)
	}
	cramped, all := crampedPixels(t, 2, 30_000, 20_000), newPixels(t, Options{})
	addAll(t, cramped, []picture{p, p.mirrored()})
	if _, err := all.ReadFrom(bytes.NewReader(written(t, cramped))); err != nil {
		t.Fatal(err)
	}
	if runs := all.pool.piles[anomalous].runs; len(runs) < 2 {
		t.Errorf("%d runs hold all sizes", len(runs))
	}
	if got := summarize(t, all); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// mirrored returns the picture flipped horizontally and vertically.
func (p picture) mirrored() picture {
	p.scores, p.mask = slices.Clone(p.scores), slices.Clone(p.mask)
	slices.Reverse(p.scores)
	slices.Reverse(p.mask)
	return p
}

func TestLawsOfPixels(t *testing.T) {
	random := rand.New(rand.NewPCG(12, 13))
	for range 20 {
		pictures := somePictures(random, 5)
		want := summary(t, Options{}, pictures)

		twice := summary(t, Options{}, slices.Concat(pictures, pictures))
		twice.Positives, twice.Negatives, twice.Regions = twice.Positives/2, twice.Negatives/2, twice.Regions/2
		if twice != want {
			t.Errorf("each picture twice: %+v, want %+v", twice, want)
		}

		for name, monotone := range map[string]func(float32) float32{
			"scaled":  func(x float32) float32 { return x * 1024 },
			"shifted": func(x float32) float32 { return x/2 - 0.25 }, // exact for these scores
			"steps":   func(x float32) float32 { return math.Float32frombits(math.Float32bits(x+1) - 1<<24) },
		} {
			mapped := slices.Clone(pictures)
			for i := range mapped {
				mapped[i].scores = transform(mapped[i].scores, monotone)
			}
			got := summary(t, Options{}, mapped)
			if got.F1Threshold != monotone(want.F1Threshold) {
				t.Errorf("%s: threshold %v, want that of %v", name, got.F1Threshold, want.F1Threshold)
			}
			if got.F1Threshold = want.F1Threshold; got != want {
				t.Errorf("%s: %+v, want %+v", name, got, want)
			}
		}
	}
}

func TestKnownPictures(t *testing.T) {
	cases := []struct {
		name   string
		limit  float64
		width  int
		scores []float32
		mask   []uint8
		want   float64
	}{
		{"all tied: a straight line", 0.3, 2, []float32{5, 5, 5, 5}, []uint8{1, 0, 0, 0}, 0.15},
		{"perfect", 0.3, 4, []float32{9, 1, 2, 3}, []uint8{1, 0, 0, 0}, 1},
		{"found after the limit", 0.3, 4, []float32{0, 1, 2, 3}, []uint8{1, 0, 0, 0}, 0},
		{"regions weigh the same whatever their sizes", 1, 5, []float32{9, 1, 0, 0, 1}, []uint8{1, 0, 1, 1, 0}, 0.5},
		{"pixels that touch at a corner are one region", 1, 2, []float32{9, 2, 1, 9}, []uint8{1, 0, 0, 1}, 1},
		{"the curve rises at the limit", 0.5, 3, []float32{9, 8, 7}, []uint8{0, 1, 0}, 0},
		{"two of three normal pixels tie, a fourth of them beyond the limit", 0.5, 4, []float32{3, 3, 3, 0}, []uint8{1, 0, 0, 0}, 0.375},
	}
	for _, c := range cases {
		pictures := []picture{{c.scores, c.mask, c.width, len(c.scores) / c.width}}
		got := summary(t, Options{FPRLimit: c.limit}, pictures).AUPRO
		if math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestEqualScores(t *testing.T) {
	var pictures []picture
	for _, mask := range [][]uint8{{0, 1, 0, 0}, {0, 0, 0, 0}} {
		pictures = append(pictures, picture{[]float32{0.5, 0.5, 0.5, 0.5}, mask, 2, 2})
	}
	want := Summary{Ranking{AUROC: 0.5, AP: 0.125, F1Max: 2. / 9, F1Threshold: 0.5, Positives: 1, Negatives: 7}, 0.15, 1}
	if got := summary(t, Options{}, pictures); math.Abs(got.AUPRO-want.AUPRO) > 1e-15 || got.Ranking != want.Ranking {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestSinglePixels(t *testing.T) {
	pixels := newPixels(t, Options{})
	addAll(t, pixels, []picture{{[]float32{1}, []uint8{9}, 1, 1}})
	if _, err := pixels.Summary(); !errors.Is(err, ErrOneClass) {
		t.Errorf("one anomalous pixel: %v", err)
	}
	addAll(t, pixels, []picture{{[]float32{0}, nil, 1, 1}})
	got := summarize(t, pixels)
	if want := (Summary{Ranking{1, 1, 1, 1, 1, 1}, 1, 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestPixelsRefuse(t *testing.T) {
	nan, infinity := float32(math.NaN()), float32(math.Inf(-1))
	cases := []struct {
		name          string
		scores        []float32
		mask          []uint8
		width, height int
		is            error
		says          string
	}{
		{"a mask that is too short", []float32{1, 2}, []uint8{1}, 2, 1, nil, "2 scores but a mask of 1 pixels"},
		{"another size", []float32{1, 2, 3}, []uint8{1, 0, 0}, 2, 2, nil, "3 scores for 2 x 2 pixels"},
		{"a size that overflows", []float32{1, 2}, nil, math.MaxInt, 2, nil, "2 scores for"},
		{"no size", nil, nil, 0, 0, nil, "0 scores for 0 x 0 pixels"},
		{"a negative size", []float32{1, 2}, nil, -1, -2, nil, "2 scores for -1 x -2 pixels"},
		{"NaN", []float32{1, 2, 3, nan}, []uint8{1, 1, 0, 0}, 2, 2, ErrNotFinite, "NaN at row 1, column 1"},
		{"infinity", []float32{1, 2, infinity, 3}, nil, 2, 2, ErrNotFinite, "-Inf at row 1, column 0"},
	}
	pixels := newPixels(t, Options{})
	for _, c := range cases {
		err := pixels.Add(c.scores, c.mask, c.width, c.height)
		if err == nil || !strings.Contains(err.Error(), c.says) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if left := collected(pixels); left != 0 {
		t.Errorf("refused pictures left %d pixels", left)
	}
	if err := pixels.Add([]float32{1, 2}, nil, 2, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := pixels.Summary(); !errors.Is(err, ErrOneClass) {
		t.Errorf("normal pixels only: %v", err)
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, o := range []Options{{Memory: -1}, {Workers: -1}, {FPRLimit: -0.1}, {FPRLimit: 1.1}, {FPRLimit: math.NaN()}} {
		if _, err := NewPixels(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

func TestClosed(t *testing.T) {
	pixels := newPixels(t, Options{})
	if err := pixels.Close(); err != nil {
		t.Fatal(err)
	}
	_, summaryErr := pixels.Summary()
	_, writeErr := pixels.WriteTo(nil)
	_, readErr := pixels.ReadFrom(nil)
	for i, err := range []error{pixels.Add([]float32{1}, nil, 1, 1), summaryErr, writeErr, readErr} {
		if !errors.Is(err, errClosed) {
			t.Errorf("use %d of closed pixels: %v", i, err)
		}
	}
}

// TestManyRuns covers all internal boundaries at full size: runs, cuts, ties at a cut. The
// expected values are computed by counting, without sorting.
func TestManyRuns(t *testing.T) {
	const side = 600
	cases := []struct {
		name   string
		levels int
	}{{"one level", 1}, {"some levels", 5000}, {"many levels", 1 << 22}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(5, uint64(c.levels)))
			histogram := make([][2]uint64, c.levels)
			pictures := make([]picture, 3)
			for i := range pictures {
				p := picture{make([]float32, side*side), make([]uint8, side*side), side, side}
				for j := range p.scores {
					if j%10 != 0 {
						p.mask[j] = p.mask[j-1]
					} else if random.IntN(3) == 0 {
						p.mask[j] = 255
					}
					level := random.IntN(c.levels)
					if p.mask[j] != 0 {
						level = max(level, random.IntN(c.levels))
					}
					histogram[level][p.mask[j]/255]++
					p.scores[j] = float32(level)/float32(c.levels) - 0.25
				}
				pictures[i] = p
			}
			want := summary(t, Options{}, pictures)
			auroc, ap := fromHistogram(histogram)
			if math.Abs(want.AUROC-auroc) > 1e-12 || math.Abs(want.AP-ap) > 1e-12 {
				t.Errorf("AUROC %v and AP %v, want %v and %v", want.AUROC, want.AP, auroc, ap)
			}
			if got := summary(t, Options{Memory: 1, Folder: t.TempDir()}, pictures); got != want {
				t.Errorf("on disk %+v, want %+v", got, want)
			}
		})
	}
}

// fromHistogram computes both metrics from the numbers of normal and anomalous samples per score.
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
