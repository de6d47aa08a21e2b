package synth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestPairs: the arrays have the promised shapes, their bytes do not depend on the workers,
// a larger number only adds pairs, and the two pictures of a pair differ mostly at the mask.
func TestPairs(t *testing.T) {
	const size = 64
	written := func(n, workers int) (string, []byte) {
		dir := filepath.Join(t.TempDir(), "pairs")
		if err := WritePairs(t.Context(), dir, PairOptions{Seed: 4, Count: n, Size: size, Workers: workers}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, "pairs-000.npy"))
		if err != nil {
			t.Fatal(err)
		}
		return dir, text
	}
	dir, pictures := written(30, 3)
	const header = 128
	if want := "\x93NUMPY\x01\x00\x76\x00{'descr': '|u1', 'fortran_order': False, 'shape': (30, 2, 64, 64, 3, ), }"; string(pictures[:len(want)]) != want || pictures[header-1] != '\n' {
		t.Fatalf("header %q", pictures[:header])
	}
	pictures = pictures[header:]
	if _, few := written(8, 1); !bytes.Equal(few[header:], pictures[:8*2*size*size*3]) {
		t.Error("the bytes depend on the number of pairs or workers")
	}
	masks, err := os.ReadFile(filepath.Join(dir, "masks-000.npy"))
	if err != nil || len(masks) != header+30*size*size {
		t.Fatalf("%d bytes of masks, %v", len(masks), err)
	}
	masks = masks[header:]
	var list []PairInfo
	text, err := os.ReadFile(filepath.Join(dir, "pairs-000.json"))
	if err := errors.Join(err, json.Unmarshal(text, &list)); err != nil || len(list) != 30 {
		t.Fatal(len(list), err)
	}
	kinds := map[string]int{}
	for n, info := range list {
		kinds[info.Kind]++
		normal, anomalous := pictures[n*2*size*size*3:], pictures[(2*n+1)*size*size*3:]
		at, away, pixels, marked := 0, 0, 0, 0
		for i := range size * size {
			change := 0
			for k := range 3 {
				change += max(int(normal[3*i+k])-int(anomalous[3*i+k]), int(anomalous[3*i+k])-int(normal[3*i+k]))
			}
			if masks[n*size*size+i] != 0 {
				at, marked = at+change, marked+1
			} else {
				away, pixels = away+change, pixels+1
			}
		}
		if marked == 0 || at*pixels <= 3*away*marked {
			t.Errorf("%d %+v: %d marked pixels change by %d, %d others by %d", n, info, marked, at, pixels, away)
		}
	}
	if kinds[kindTexture] < 8 || kinds[kindObject] < 8 {
		t.Errorf("%v", kinds)
	}
}

func TestPairsRefuse(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "keep.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]PairOptions{"size": {Count: 1, Size: 8}, "none": {}, "too many": {Count: MaxPairs + 1}, "set": {Count: 1, Set: "fruit"}, "full": {Count: 1}} {
		if err := WritePairs(t.Context(), full, o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, dir := range []string{filepath.Join(t.TempDir(), "x"), t.TempDir()} {
		ctx, cancel := context.WithCancel(t.Context())
		stop := func(done, _ int) { cancel() }
		if err := WritePairs(ctx, dir, PairOptions{Count: pairsPerFile + 1, Size: MinSize, Progress: stop}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if left, err := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%d files are left, %v", len(left), err)
		}
	}
	// The sets that are drawn by their own code have pairs too.
	if err := WritePairs(t.Context(), filepath.Join(t.TempDir(), "x"), PairOptions{Count: 4, Set: All, Size: 64}); err != nil {
		t.Error(err)
	}
}

func BenchmarkPair(b *testing.B) {
	from, err := newPairSource(PairOptions{Set: Seen})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		if _, err := drawPair(1, n, from.textures, from.objects, 112); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pairs/s")
}
