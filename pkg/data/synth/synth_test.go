package synth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
)

// contents returns the content of every file below dir by relative path.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func write(t *testing.T, o Options) (string, Summary) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "set")
	summary, err := Write(context.Background(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return dir, summary
}

func TestWriteIsDiscovered(t *testing.T) {
	dir, summary := write(t, Options{Set: Objects, Classes: []string{"spur_gear", "flat_washer"}, Seed: 3, Normal: 3, Anomalous: 6, TrainNormal: 1, Size: 64})
	d, err := data.Discover(context.Background(), "synth", config.Root{Path: dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []data.Count{{Class: "flat_washer", Normal: 3, Anomalous: 6}, {Class: "spur_gear", Normal: 3, Anomalous: 6}}
	if got := d.Counts(); !slices.Equal(got, want) || len(d.Findings) > 0 {
		t.Errorf("counts %v, findings %v; want %v", got, d.Findings, want)
	}
	if summary.Normal != 6 || summary.Anomalous != 12 || summary.TrainNormal != 2 || len(summary.Classes) != 2 {
		t.Errorf("summary %+v", summary)
	}
	if got := d.Classes[1].Prompt; got != "spur gear" {
		t.Errorf("prompt name %q", got)
	}
	for _, item := range d.Items {
		if item.Anomalous != (item.Mask != "") {
			t.Errorf("row %+v", item)
		}
	}
	files := contents(t, dir)
	if len(files) != 2*(1+3+6+6) {
		t.Errorf("%d files", len(files))
	}
	for name, text := range files {
		m, err := png.Decode(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if m.Bounds() != image.Rect(0, 0, 64, 64) {
			t.Errorf("%s: %v", name, m.Bounds())
		}
		// Byte 24 of a PNG is the depth, byte 25 the color type: 0 gray, 2 RGB.
		wantType := byte(2)
		if strings.Contains(name, "ground_truth") {
			wantType = 0
			for _, v := range m.(*image.Gray).Pix {
				if v != 0 && v != 255 {
					t.Fatalf("%s: value %d", name, v)
				}
			}
		}
		if text[24] != 8 || text[25] != wantType {
			t.Errorf("%s: depth %d, color type %d", name, text[24], text[25])
		}
	}
}

// The same seed gives the same bytes for any number of workers and whatever else is
// drawn; another seed gives different bytes.
func TestWriteIsReproducible(t *testing.T) {
	o := Options{Set: Textures, Classes: []string{"brushed_metal"}, Seed: 5, Normal: 2, Anomalous: 3, Size: 64, Workers: 1}
	dir, _ := write(t, o)
	first := contents(t, dir)
	hashes := map[string]string{}
	for name, text := range first {
		hash := fmt.Sprintf("%x", sha256.Sum256(text))
		if other, twice := hashes[hash]; twice {
			t.Errorf("%s and %s are equal", name, other)
		}
		hashes[hash] = name
	}
	o.Set, o.Classes, o.Workers, o.Normal, o.Anomalous = All, []string{"gel_capsule", "brushed_metal"}, 4, 3, 5
	dir, _ = write(t, o)
	more := contents(t, dir)
	for name, text := range first {
		if !bytes.Equal(text, more[name]) {
			t.Errorf("%s depends on the workers or on what else is drawn", name)
		}
	}
	o.Seed = 6
	dir, _ = write(t, o)
	for name, text := range contents(t, dir) {
		if bytes.Equal(text, more[name]) {
			t.Errorf("%s does not depend on the seed", name)
		}
	}
}

// The output for a seed must not change unnoticed.
func TestPixelsAreKnown(t *testing.T) {
	if fuses(1+0x1p-30, 1+0x1p-29) {
		t.Skip("this build fuses a product and a sum into one rounding, which changes a few pixels")
	}
	hash := sha256.New()
	for _, c := range classic() {
		m, mask, err := render(picture{seed: 1, class: c.name, split: "test", index: 0}, c, c.defects[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		hash.Write(m.Pix)
		hash.Write(mask)
	}
	const known = "9fb20a32c02bd1096a40f9925376fd76f5a1187345707185b3225e221a6c9edc"
	if got := hex.EncodeToString(hash.Sum(nil)); got != known {
		t.Errorf("pixels %s, want %s: what a seed draws has changed; say so in the release's notes", got, known)
	}
}

// fuses reports whether the compiler fuses x*x-p; p is x*x rounded.
//
//go:noinline
func fuses(x, p float64) bool { return x*x-p != 0 }

// For each kind of defect on each class that has it: outside the mask, every pixel
// equals the picture without the defect; inside, nearly all differ; the defect is
// visible but does not fill the picture.
func TestMasksAreExact(t *testing.T) {
	for _, c := range classic() {
		for k, defect := range c.defects {
			for i, size := range []int{64, 96, 200} {
				p := picture{seed: 11, class: c.name, split: defect, index: i + 10*k}
				damaged, mask, err := render(p, c, defect, size)
				if err != nil {
					t.Errorf("%s %s: %v", c.name, defect, err)
					continue
				}
				clean, none, err := render(p, c, "", size)
				if err != nil || none != nil {
					t.Fatal("a good picture has a mask", err)
				}
				area, changed, change := 0, 0, 0
				for j, m := range mask {
					differs := 0
					for k := range 4 {
						a, b := int(clean.Pix[4*j+k]), int(damaged.Pix[4*j+k])
						differs = max(differs, a-b, b-a)
					}
					if m == 0 && differs != 0 {
						t.Fatalf("%s %s %d: pixel %d outside the mask differs", c.name, defect, size, j)
					}
					if m != 0 {
						area++
						change += differs
						if differs > 0 {
							changed++
						}
					}
				}
				if float64(changed) < 0.85*float64(area) || change < 15*area {
					t.Errorf("%s %s %d: of %d pixels in the mask %d differ, by %d together", c.name, defect, size, area, changed, change)
				}
				if area < 4 || area > len(mask)/5 {
					t.Errorf("%s %s %d: the mask has %d pixels", c.name, defect, size, area)
				}
			}
		}
	}
}

func TestSetsHaveNoClassInCommon(t *testing.T) {
	textures, _ := Classes(Textures)
	objects, _ := Classes(Objects)
	all, _ := Classes(All)
	if len(textures) < 4 || len(objects) < 4 || len(all) != len(textures)+len(objects) {
		t.Errorf("%d textures, %d objects, %d in all", len(textures), len(objects), len(all))
	}
	kinds := defects()
	used := map[string]bool{}
	for _, c := range everyClass() {
		for _, kind := range c.defects {
			used[kind] = true
			if kinds[kind] == nil {
				t.Errorf("%s: no defect %q", c.name, kind)
			}
			if kind == "missing" && !c.object {
				t.Errorf("%s: a texture has nothing behind it", c.name)
			}
		}
	}
	if len(used) != len(kinds) {
		t.Errorf("%d kinds of defect are used of %d", len(used), len(kinds))
	}
}

func TestWriteRefuses(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "keep.txt"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		dir  string
		o    Options
		want error
		text string
	}{
		{full, Options{}, ErrNotEmpty, full},
		{filepath.Join(full, "keep.txt"), Options{}, nil, "keep.txt"},
		{"x", Options{Set: "fruit"}, ErrUnknown, "textures, objects, all"},
		{"x", Options{Set: Objects, Classes: []string{"wood_grain"}}, ErrUnknown, "hex_bolt"},
		{"x", Options{Size: 8}, nil, "invalid size 8"},
		{"x", Options{Normal: -1, Anomalous: -1}, nil, "no picture"},
		{"x", Options{Normal: MaxCount + 1}, nil, "the maximum is"},
	}
	for _, test := range tests {
		_, err := Write(context.Background(), test.dir, test.o)
		if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s %+v: error %v", test.dir, test.o, err)
		}
	}
	if files := contents(t, full); len(files) != 1 {
		t.Errorf("a refused folder was changed: %d files", len(files))
	}
}

func TestWriteCancelled(t *testing.T) {
	empty := t.TempDir()
	for _, dir := range []string{filepath.Join(t.TempDir(), "new"), empty} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var calls atomic.Int32
		o := Options{Classes: []string{"gel_capsule"}, Normal: 50, Anomalous: -1, Size: 64, Workers: 2, Progress: func(done, total int) {
			if int(calls.Add(1)) != done || total != 50 {
				t.Errorf("progress %d of %d at call %d", done, total, calls.Load())
			}
			if done == 3 {
				cancel()
			}
		}}
		if _, err := Write(ctx, dir, o); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want %v", err, context.Canceled)
		}
		if calls.Load() > 10 {
			t.Errorf("%d pictures were drawn after the end", calls.Load()-3)
		}
		entries, err := os.ReadDir(dir)
		if dir == empty && (err != nil || len(entries) > 0) || dir != empty && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %d entries are left, %v", dir, len(entries), err)
		}
	}
}

// TestTwoAtOnce: of two concurrent Write calls for one folder, one succeeds and the other returns an error.
func TestTwoAtOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "set")
	var failed [2]error
	var group sync.WaitGroup
	for i := range failed {
		group.Go(func() {
			_, failed[i] = Write(t.Context(), dir, Options{Set: Textures, Normal: 2, Anomalous: 2, Size: MinSize, Seed: uint64(i)})
		})
	}
	group.Wait()
	if (failed[0] == nil) == (failed[1] == nil) || !errors.Is(errors.Join(failed[:]...), ErrNotEmpty) {
		t.Fatalf("%v; %v", failed[0], failed[1])
	}
	seed := 0
	if failed[0] != nil {
		seed = 1
	}
	alone := t.TempDir()
	if _, err := Write(t.Context(), alone, Options{Set: Textures, Normal: 2, Anomalous: 2, Size: MinSize, Seed: uint64(seed)}); err != nil {
		t.Fatal(err)
	}
	names := func(dir string) (list []string) {
		_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			name, _ := filepath.Rel(dir, path)
			list = append(list, name)
			return err
		})
		return list
	}
	if !slices.Equal(names(dir), names(alone)) {
		t.Errorf("together: %v, alone: %v", names(dir), names(alone))
	}
}
