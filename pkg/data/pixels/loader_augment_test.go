package pixels

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/augment"
	"acdclip/pkg/data/pixels/picture"
)

// byIndex sorts loaded pictures by item index.
func byIndex(pictures []Picture) []Picture {
	slices.SortFunc(pictures, func(a, b Picture) int { return a.Index - b.Index })
	return pictures
}

// TestLoadAugmentedIsTheSameWhateverTheOrder: the number of workers, the order and the
// cache do not change the result; seed and epoch do.
func TestLoadAugmentedIsTheSameWhateverTheOrder(t *testing.T) {
	items := slices.Delete(someItems(t), 5, 6) // without the broken one
	o := LoadOptions{Size: 21, Workers: 1, Masks: true, Augment: &Augmentation{Seed: 3, Epoch: 2}}
	want := load(t.Context(), items, o)
	for _, cached := range []*Cache{nil, NewCache(20_000), NewCache(1 << 30)} {
		for _, workers := range []int{1, 4} {
			o.Workers, o.Ahead, o.Cache = workers, workers, cached
			o.Order = rand.New(rand.NewPCG(uint64(workers), 1)).Perm(len(items))
			got := load(t.Context(), items, o)
			for i, p := range got {
				if p.Index != o.Order[i] {
					t.Fatalf("picture %d is item %d, want %d", i, p.Index, o.Order[i])
				}
			}
			if !reflect.DeepEqual(byIndex(got), want) {
				t.Errorf("%d workers, cache %v: other pictures", workers, cached != nil)
			}
		}
	}
	for _, other := range []Augmentation{{Seed: 4, Epoch: 2}, {Seed: 3, Epoch: 3}} {
		o := LoadOptions{Size: 21, Masks: true, Augment: &other}
		if got := load(t.Context(), items, o); reflect.DeepEqual(got, want) {
			t.Errorf("%+v gives the same pictures", other)
		}
	}
}

// TestLoadAugments compares Load with the separate steps.
func TestLoadAugments(t *testing.T) {
	items := []data.Item{{Path: "picture/testdata/pictures/rgb8.png", Anomalous: true, Mask: "picture/testdata/pictures/palette1.png"}}
	for epoch := range 20 {
		p := load(t.Context(), items, LoadOptions{Size: 16, Masks: true, Augment: &Augmentation{Seed: 1, Epoch: epoch}})[0]
		if p.Err != nil {
			t.Fatal(p.Err)
		}
		im, err := picture.Decode(items[0].Path, picture.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		mask, _, err := picture.DecodeMask(items[0].Mask, picture.NonZero, picture.DecodeOptions{}, picture.Upright)
		if err != nil {
			t.Fatal(err)
		}
		mask = mask.ResizeNearest(16, 16)
		mask.Binary(picture.NonZero)
		drawn := augment.Draw(1, epoch, 0, 16)
		pix, moved, inside := drawn.Geometry(drawn.Color(im).ResizeBicubic(16, 16).Pix, mask.Pix, 16)
		if !slices.Equal(p.Pix, pix) || !slices.Equal(p.Mask, moved) || !slices.Equal(p.Inside, inside) {
			t.Errorf("epoch %d: other pixels", epoch)
		}
	}
}

// TestCache: cached pictures are not read again, and the cache stays within its size.
func TestCache(t *testing.T) {
	content, err := os.ReadFile("picture/testdata/pictures/rgb8.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, augmented := range []*Augmentation{nil, {Seed: 1}} {
		items := make([]data.Item, 10)
		folder := t.TempDir()
		for i := range items {
			items[i].Path = filepath.Join(folder, string(rune('a'+i))+".png")
			if err := os.WriteFile(items[i].Path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		o := LoadOptions{Size: 8, Workers: 1, Augment: augmented}
		one, err := decodeItem(items[0], o)
		if err != nil {
			t.Fatal(err)
		}
		o.Cache = NewCache(4*one.bytes() + one.bytes()/2)
		first := load(t.Context(), items, o)
		if err := os.RemoveAll(folder); err != nil {
			t.Fatal(err)
		}
		held := 0
		for i, p := range load(t.Context(), items, o) {
			if p.Err == nil {
				held++
				if !reflect.DeepEqual(p, first[i]) {
					t.Errorf("picture %d is another one from the cache", i)
				}
			}
		}
		if held != 4 {
			t.Errorf("%d pictures were held, where there is room for 4", held)
		}
		if pictures, bytes := o.Cache.Held(); pictures != 4 || bytes != 4*one.bytes() {
			t.Errorf("the cache tells of %d pictures in %d bytes", pictures, bytes)
		}
	}
}

// TestMaskThreshold: mask values of at least the threshold are anomalous.
func TestMaskThreshold(t *testing.T) {
	items := []data.Item{{Path: "picture/testdata/pictures/grey8.png", Anomalous: true, Mask: "picture/testdata/pictures/grey8.png"}}
	before := 32*32 + 1
	for _, threshold := range []uint8{0, 1, 64, 128, 255} {
		p := load(t.Context(), items, LoadOptions{Size: 32, Masks: true, MaskThreshold: threshold})[0]
		if p.Err != nil {
			t.Fatal(p.Err)
		}
		set := 0
		for _, v := range p.Mask {
			set += int(v)
		}
		if threshold > 1 && set >= before {
			t.Errorf("threshold %d: %d pixels, not fewer than %d", threshold, set, before)
		}
		before = set
	}
}
