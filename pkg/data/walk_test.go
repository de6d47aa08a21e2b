package data

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestCompareNatural(t *testing.T) {
	ordered := []string{"", "0", "00", "1", "01", "1a", "2", "10", "010", "10a", "A", "a", "a1", "a1b", "a02", "a2", "a10", "b", "é"}
	// Numbers of equal value are ordered by their bytes.
	slices.SortFunc(ordered, compareNatural)
	want := []string{"", "0", "00", "01", "1", "1a", "2", "010", "10", "10a", "A", "a", "a1", "a1b", "a02", "a2", "a10", "b", "é"}
	if !slices.Equal(ordered, want) {
		t.Errorf("sorted\n%q, want\n%q", ordered, want)
	}
}

func TestCompareNaturalIsATotalOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	name := func() string {
		b := make([]byte, r.IntN(5))
		for i := range b {
			b[i] = "0012ab_"[r.IntN(7)]
		}
		return string(b)
	}
	sign := func(n int) int { return min(1, max(-1, n)) }
	for range 20000 {
		a, b, c := name(), name(), name()
		if sign(compareNatural(a, b)) != -sign(compareNatural(b, a)) {
			t.Fatalf("%q and %q: not opposite when swapped", a, b)
		}
		if (compareNatural(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q compare as equal", a, b)
		}
		if compareNatural(a, b) < 0 && compareNatural(b, c) < 0 && compareNatural(a, c) >= 0 {
			t.Fatalf("%q < %q < %q, but not the first before the last", a, b, c)
		}
	}
}

func TestIsPicture(t *testing.T) {
	for name, want := range map[string]bool{
		"a.png": true, "a.JPG": true, "a.JpEg": true, "a.bmp": true, "a.tif": true, "a.TIFF": true, "a.webp": true, "a.GIF": true,
		"a": false, "png": false, "a.png.txt": false, "a.txt": false, "Thumbs.db": false, "desktop.ini": false,
	} {
		if got := isPicture(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestCountNamed(t *testing.T) {
	if got := countNamed([]string{"a", "b"}); got != "2 (a, b)" {
		t.Error(got)
	}
	if got := countNamed(strings.Split("abcdefgh", "")); got != "8 (a, b, c, d, e, ...)" {
		t.Error(got)
	}
}
