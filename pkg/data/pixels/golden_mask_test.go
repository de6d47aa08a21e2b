package pixels

import (
	"fmt"
	"slices"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/data/pixels/picture"
)

// TestGoldenMasks compares masks scaled bilinearly with those of the methods' authors.
func TestGoldenMasks(t *testing.T) {
	golden.Run(t, []string{"methods"}, func(t *testing.T, f golden.Folder) {
		for _, test := range []struct{ pattern, in, out string }{
			{"methods/clip_ad_*.safetensors", "in.mask.%d", "in.target"},
			{"methods/anomalyclip_*.safetensors", "in.picture_mask.%d", "in.mask"},
			{"methods/adaclip_*.safetensors", "in.picture_mask.%d", "in.mask"},
		} {
			paths := f.Glob(test.pattern)
			if len(paths) == 0 {
				t.Errorf("no %s", test.pattern)
			}
			for _, path := range paths {
				compareMasks(t, path, test.in, test.out)
			}
		}
	})
}

// compareMasks scales the masks with the names in, and compares them with out [B, S, S].
func compareMasks(t *testing.T, path, in, out string) {
	t.Helper()
	all := golden.Open(t, path)
	want := all.Take(t, out)
	count, side := int(want.Shape[0]), int(want.Shape[1])
	for i := range count {
		from := all.Take(t, fmt.Sprintf(in, i))
		mask := &picture.Grey{Width: int(from.Shape[1]), Height: int(from.Shape[0])}
		for _, v := range from.Float32() {
			mask.Pix = append(mask.Pix, uint8(v))
		}
		var expected []uint8
		for _, v := range want.Float32()[i*side*side : (i+1)*side*side] {
			expected = append(expected, uint8(v))
		}
		if got := (LoadOptions{Size: side, BilinearMasks: true}).scaledMask(mask); !slices.Equal(got.Pix, expected) {
			t.Errorf("%s: mask %d differs", path, i)
		}
	}
}
