package kmeans

import (
	"math"
	"slices"
	"testing"
)

// sines are count points of a width.
func sines(count, width int) []float64 {
	points := make([]float64, count*width)
	for i := range points {
		points[i] = math.Sin(float64((i + 1) * (i + 1)))
	}
	return points
}

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-12*(1+math.Abs(want)) }

// TestCluster compares with scikit-learn 1.9.1:
//
//	points = np.sin((np.arange(count * width) + 1.0) ** 2).reshape(count, width)
//	np.random.seed(seed)
//	found = KMeans(n_clusters=clusters, n_init="auto").fit(points)
func TestCluster(t *testing.T) {
	for _, test := range []struct {
		count, width, clusters int
		seed                   uint32
		labels                 []int
		inertia                float64
	}{
		{12, 3, 4, 111, []int{1, 2, 3, 3, 3, 2, 1, 0, 1, 1, 1, 1}, 3.65907162788229},
		{20, 5, 6, 7, []int{3, 0, 4, 2, 1, 5, 0, 4, 5, 2, 5, 3, 4, 3, 1, 3, 3, 1, 5, 0}, 18.59641325435353},
		{30, 2, 5, math.MaxUint32, []int{2, 4, 0, 3, 0, 2, 3, 0, 4, 4, 1, 2, 4, 0, 3, 4, 2, 3, 0, 2, 0, 1, 2, 0, 2, 3, 1, 1, 1, 4}, 3.354245383222983},
		{9, 1, 9, 0, []int{7, 6, 3, 5, 0, 8, 2, 1, 4}, 0},
		{40, 8, 12, 3, []int{0, 3, 7, 3, 4, 8, 6, 8, 10, 11, 5, 1, 4, 2, 5, 4, 8, 6, 6, 9, 0, 2, 0, 9, 4, 4, 4, 8, 6, 11, 7, 9, 5, 1, 3, 7, 2, 4, 8, 6}, 44.86199750160867},
	} {
		got := Cluster(sines(test.count, test.width), test.width, test.clusters, test.seed)
		if !slices.Equal(got.Labels, test.labels) || !near(got.Inertia, test.inertia) {
			t.Errorf("%d points of width %d: %v, %v, want %v, %v", test.count, test.width, got.Labels, got.Inertia, test.labels, test.inertia)
		}
	}
}

// TestEmptyClusters starts from equal centres, the second of which has no point in the
// first round. It compares with KMeans(init=points[starts], n_init=1).
func TestEmptyClusters(t *testing.T) {
	const width = 2
	for _, test := range []struct {
		starts, labels []int
		inertia        float64
	}{
		{[]int{0, 0, 5}, []int{2, 2, 0, 1, 0, 2, 1, 0, 0, 0, 2, 2, 0, 0}, 2.6594918823827314},
		{[]int{3, 3, 3, 3}, []int{1, 2, 2, 0, 0, 3, 0, 0, 2, 2, 3, 1, 2, 2}, 3.9782982494789767},
		{[]int{1, 1, 2, 2, 1}, []int{0, 0, 2, 1, 4, 0, 3, 4, 2, 2, 0, 0, 2, 2}, 1.517927497934287},
	} {
		p := newProducts(sines(14, width), width)
		var centres []centre
		for _, start := range test.starts {
			centres = append(centres, p.mean([]int{start}))
		}
		got := p.rounds(centres, tolerance*p.trace()/float64(p.count*width))
		if !slices.Equal(got.Labels, test.labels) || !near(got.Inertia, test.inertia) {
			t.Errorf("from %v: %v, %v, want %v, %v", test.starts, got.Labels, got.Inertia, test.labels, test.inertia)
		}
	}
}

// TestEqualPoints has fewer different points than clusters, so some clusters are empty.
func TestEqualPoints(t *testing.T) {
	three := sines(3, 2)
	points := slices.Concat(three, three, three[:2])
	want := []int{2, 0, 1, 2, 0, 1, 2}
	for _, clusters := range []int{3, 5, 7} {
		if got := Cluster(points, 2, clusters, 111); !slices.Equal(got.Labels, want) || got.Inertia > 1e-12 {
			t.Errorf("%d clusters: %v, %v, want %v", clusters, got.Labels, got.Inertia, want)
		}
	}
}

func TestFewPoints(t *testing.T) {
	if got := Cluster([]float64{1, 2}, 1, 5, 1); len(got.Labels) != 2 || got.Labels[0] == got.Labels[1] || slices.Max(got.Labels) > 1 {
		t.Errorf("more clusters than points: %v", got.Labels)
	}
	if got := Cluster(nil, 3, 5, 1); len(got.Labels) != 0 {
		t.Errorf("no points: %v", got.Labels)
	}
	if got := Cluster([]float64{math.NaN(), 1, math.Inf(1)}, 1, 2, 1); len(got.Labels) != 3 {
		t.Errorf("points that are not finite: %v", got.Labels)
	}
}

// TestTwister compares with numpy.random.random_sample.
func TestTwister(t *testing.T) {
	for _, test := range []struct {
		seed  uint32
		place int
		want  float64
	}{
		{0, 0, 0.5488135039273248}, {0, 1, 0.7151893663724195}, {0, 2, 0.6027633760716439},
		{math.MaxUint32, 1, 0.9123828453026218}, {111, 0, 0.6121701756176187}, {111, 999, 0.10267849479976521},
	} {
		random := newTwister(test.seed)
		for range test.place {
			random.float64()
		}
		if got := random.float64(); got != test.want {
			t.Errorf("seed %d, number %d: %v, want %v", test.seed, test.place, got, test.want)
		}
	}
}

// TestReach finds the candidate for a random share of the total.
func TestReach(t *testing.T) {
	for target, want := range map[float64]int{0: 0, 0.5: 1, 1: 1, 1.5: 2, 4: 2} {
		if got := reach([]float64{0, 1, 2}, target); got != want {
			t.Errorf("the running sum reaches %v at place %d, want %d", target, got, want)
		}
	}
}

// TestEvenCandidates compares the first and the last point, which are each other's nearest;
// the others are near points chosen before. Either leaves the same total but for rounding,
// so the one drawn first is taken.
func TestEvenCandidates(t *testing.T) {
	for i := range 100 {
		x := math.Sin(float64(i))
		p := newProducts([]float64{x / 100, 1000, -1000, 1000, -1000, -x / 70}, 1)
		nearest := []float64{1e6, 70 + x, 0.1 - x/20, 30 * x * x, 10 - x, 1e6}
		for _, candidates := range [][]int{{0, 5}, {5, 0}} {
			if got, _ := p.best(candidates, nearest); got != candidates[0] {
				t.Errorf("%d: of %v, %d was taken", i, candidates, got)
			}
		}
	}
}
