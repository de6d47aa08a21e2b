package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestKeysOrder(t *testing.T) {
	falling := []float32{math.MaxFloat32, 1, 0.5, math.SmallestNonzeroFloat32, 0, -math.SmallestNonzeroFloat32, -1, -math.MaxFloat32}
	for i, score := range falling {
		key := keyOf(score)
		if i > 0 && key <= keyOf(falling[i-1]) {
			t.Errorf("key of %v is not above that of %v", score, falling[i-1])
		}
		if !isKey(key) || scoreOf(key) != score {
			t.Errorf("key %#x of %v gives %v", key, score, scoreOf(key))
		}
	}
	if keyOf(math.MaxFloat32) != firstKey || keyOf(-math.MaxFloat32) != lastKey {
		t.Error("other keys than the first and the last one for the extremes")
	}
	if keyOf(negativeZero()) != keyOf(0) {
		t.Error("the zeros have two keys")
	}
	for _, key := range []uint32{0, firstKey - 1, signBit, lastKey + 1, math.MaxUint32} {
		if isKey(key) {
			t.Errorf("%#x is taken for a key", key)
		}
	}
}

func TestSortByKey(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 7))
	for _, n := range []int{0, 1, fewValues - 1, fewValues, 5000, 100_000} {
		for _, mask := range []uint32{0, 0x7ff, 0x3ff800, 0xffc00000, 0xff, math.MaxUint32} {
			keys, records := make([]uint32, n), make([]uint64, n)
			for i := range keys {
				keys[i] = random.Uint32()&mask + 5
				records[i] = uint64(keys[i])<<8 | uint64(random.Uint32()%256)
			}
			want := slices.Clone(keys)
			slices.Sort(want)
			if sorted, _ := sortByKey(keys, make([]uint32, n), 0); !slices.Equal(sorted, want) {
				t.Errorf("%d keys under %#x are not sorted", n, mask)
			}
			sorted, _ := sortByKey(records, make([]uint64, n), 8)
			for i, record := range sorted {
				if uint32(record>>8) != want[i] {
					t.Fatalf("%d records under %#x are not sorted", n, mask)
				}
			}
		}
	}
}

// TestCutsBound counts the samples between cuts, for equal and for different runs.
func TestCutsBound(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 9))
	const most = 4 * blockLength
	for _, levels := range []int{1, 3, 1000, math.MaxInt32} {
		var runs []*run
		for i := range 20 {
			if i%5 == 0 {
				random = rand.New(rand.NewPCG(8, 9)) // the same run each time
			}
			keys := make([]uint32, 1+random.IntN(20*blockLength))
			for j := range keys {
				keys[j] = firstKey + uint32(random.IntN(levels))
			}
			slices.Sort(keys)
			r := &run{}
			r.hold(memory{keys: keys})
			runs = append(runs, r)
		}
		cuts := cutsOf(runs, most)
		if !slices.IsSorted(cuts) || len(slices.Compact(slices.Clone(cuts))) != len(cuts) {
			t.Errorf("%d levels: cuts do not rise", levels)
		}
		total, want := 0, 0
		var prev uint32
		for _, cut := range cuts {
			between := 0
			for _, r := range runs {
				w, err := r.window(prev, cut, &reader{})
				if err != nil {
					t.Fatal(err)
				}
				between += len(w.between)
				total += len(w.between) + w.equal
			}
			if between > most+len(runs)*blockLength {
				t.Errorf("%d levels: %d samples between two cuts", levels, between)
			}
			prev = cut
		}
		for _, r := range runs {
			want += r.length
		}
		if total != want {
			t.Errorf("%d levels: %d of %d samples are between and at cuts", levels, total, want)
		}
	}
}

func TestFixedPoint(t *testing.T) {
	for _, size := range []uint32{1, 2, 3, 1000, 1 << 16, 1<<16 + 1, 268_324, 1 << 31, math.MaxUint32} {
		got := weightOf(size).times(uint64(size))
		if want := (uint128{high: 1 << (weightBits - 64)}); want.less(got) || got.float64()/want.float64() < 1-1e-14 {
			t.Errorf("%d times the weight of a pixel of as many: %+v, want %+v", size, got, want)
		}
	}
	u := uint128{high: 3, low: 1 << 63}
	if got, want := u.timesFraction(1<<63), (uint128{high: 1, low: 3 << 62}); got != want {
		t.Errorf("half of %+v: %+v, want %+v", u, got, want)
	}
}

// TestBetterF1 uses fractions that are equal in float64.
func TestBetterF1(t *testing.T) {
	const big = 1 << 60
	low, high := f1{big - 2, big - 1, 1}, f1{big - 1, big, 2}
	if low.better(high) != high || high.better(low) != high {
		t.Error("the smaller F1 is taken")
	}
	if same := (f1{2, 4, 7}); same.better(f1{1, 2, 9}).key != 9 || (f1{1, 2, 9}).better(same).key != 9 {
		t.Error("of equal F1 the higher score is taken")
	}
}
