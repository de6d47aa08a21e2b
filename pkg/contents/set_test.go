package contents

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// randomSums draws sums with few sizes and hashes, so that many are equal or nearly equal.
func randomSums(r *rand.Rand) []Sum {
	sums := make([]Sum, r.IntN(200))
	for i := range sums {
		sums[i] = randomSum(r)
	}
	return sums
}

func randomSum(r *rand.Rand) Sum {
	sizes := []int64{0, 1, 255, 256, 1 << 20, 1<<20 + 1, 1 << 40, math.MaxInt64}
	sum := Sum{Size: sizes[r.IntN(len(sizes))]}
	sum.Hash[0], sum.Hash[7] = byte(r.IntN(2)*255), byte(r.IntN(4))
	return sum
}

func TestSetIsAMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		sums := randomSums(r)
		given := slices.Clone(sums)
		set := NewSet(sums)
		if !slices.Equal(sums, given) {
			t.Fatal("NewSet changed its argument")
		}
		all, sizes := map[Sum]bool{}, map[int64]bool{}
		for _, sum := range sums {
			all[sum], sizes[sum.Size] = true, true
		}
		clear(sums) // the set has its own copy
		if set.Len() != len(all) {
			t.Fatalf("%d sums, want %d", set.Len(), len(all))
		}
		for range 100 {
			sum := randomSum(r)
			if set.Has(sum) != all[sum] || set.HasSize(sum.Size) != sizes[sum.Size] {
				t.Fatalf("%v: has %v, has its size %v, want %v, %v", sum, set.Has(sum), set.HasSize(sum.Size), all[sum], sizes[sum.Size])
			}
			if near := sum.Size ^ 2; set.HasSize(near) != sizes[near] {
				t.Fatalf("has size %d: %v", near, !sizes[near])
			}
		}
	}
}

func TestSetAsText(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		sums := randomSums(r)
		set := NewSet(sums)
		text, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		again := NewSet(sumsOf("what was there before"))
		if err := json.Unmarshal(text, &again); err != nil || !slices.Equal(again.sums, set.sums) {
			t.Fatalf("%v, %v, want %v", again, err, set)
		}
		r.Shuffle(len(sums), func(i, k int) { sums[i], sums[k] = sums[k], sums[i] })
		if shuffled, err := json.Marshal(NewSet(append(sums, sums...))); err != nil || !bytes.Equal(shuffled, text) {
			t.Fatalf("the text depends on the order of the sums: %v", err)
		}
	}
}

// Existing checkpoints contain this text.
func TestSetTextIsThis(t *testing.T) {
	set := NewSet([]Sum{{258, [8]byte{8, 7, 6, 5, 4, 3, 2, 1}}, {1, [8]byte{0xff}}})
	want := "AAAAAAAAAAH/AAAAAAAAAAAAAAAAAAECCAcGBQQDAgE="
	if got, err := set.MarshalText(); err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	if got, err := (Set{}).MarshalText(); err != nil || len(got) != 0 {
		t.Errorf("the empty set is %q, %v", got, err)
	}
}

func TestUnmarshalTextIsStrict(t *testing.T) {
	first := NewSet([]Sum{{1, [8]byte{1}}})
	text := func(bytes ...byte) string { return base64.StdEncoding.EncodeToString(bytes) }
	one := []byte{0, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9}
	two := []byte{0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0}
	for name, test := range map[string]struct{ text, says string }{
		"not base64":       {"?", "illegal base64"},
		"a part of base64": {text(one...)[:21], "illegal base64"},
		"without padding":  {strings.TrimRight(text(one...), "="), "illegal base64"},
		"spare bits":       {"AAAAAAAAAAEJCQkJCQkJCR==", "illegal base64"},
		"a line break":     {text(one...) + "\n", "line breaks"},
		"a byte short":     {text(one[:15]...), "not a multiple"},
		"a byte long":      {text(append(slices.Clone(one), 0)...), "not a multiple"},
		"unsorted":         {text(slices.Concat(two, one)...), "entry 1"},
		"repeated":         {text(slices.Concat(one, two, two)...), "entry 2"},
	} {
		set := first
		if err := set.UnmarshalText([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, test.says)
		}
		if !slices.Equal(set.sums, first.sums) {
			t.Errorf("%s: the set is now %v", name, set)
		}
	}
}

func FuzzUnmarshalText(f *testing.F) {
	f.Add([]byte(nil))
	for _, sums := range [][]Sum{{{1, [8]byte{2}}}, {{1, [8]byte{2}}, {1, [8]byte{3}}, {-1, [8]byte{}}}} {
		text, err := NewSet(sums).MarshalText()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var set Set
		if set.UnmarshalText(text) != nil {
			if set.Len() != 0 {
				t.Error("an error, and sums")
			}
			return
		}
		if again, err := set.MarshalText(); err != nil || !bytes.Equal(again, text) {
			t.Errorf("%q is read and written as %q, %v", text, again, err)
		}
		if rebuilt := NewSet(set.sums); !slices.Equal(rebuilt.sums, set.sums) {
			t.Errorf("%v is no set", set.sums)
		}
		for _, sum := range set.sums {
			if !set.Has(sum) || !set.HasSize(sum.Size) {
				t.Errorf("%v is not found", sum)
			}
		}
	})
}

func TestUnion(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		a, b := randomSums(r), randomSums(r)
		got, _ := NewSet(a).Union(NewSet(b)).MarshalText()
		want, _ := NewSet(slices.Concat(a, b)).MarshalText()
		if !bytes.Equal(got, want) {
			t.Fatalf("the union of %v and %v is %s", a, b, got)
		}
	}
}

// TestDigest: the digest depends on each sum and on their order.
func TestDigest(t *testing.T) {
	sums := []Sum{{Size: 1}, {Size: 2, Hash: [8]byte{3}}, {}}
	known := map[string]bool{}
	for _, list := range [][]Sum{sums, {sums[1], sums[0], sums[2]}, sums[:2], {sums[0], {Size: 2, Hash: [8]byte{4}}, {}}, nil} {
		digest := Digest(list)
		if known[digest] || digest != Digest(slices.Clone(list)) || !strings.HasPrefix(digest, "sha256:") {
			t.Errorf("the digest of %v is %s", list, digest)
		}
		known[digest] = true
	}
}
