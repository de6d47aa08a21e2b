package clip_test

import (
	"path/filepath"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
)

// TestClassToken compares the class token with that of whole blocks, in every format and
// also for a tower of one block. Its input stays, and it leaves one tensor behind.
func TestClassToken(t *testing.T) {
	for _, depth := range []int{1, 3} {
		arch := pretrained.TinyArch()
		arch.VisionLayers = depth
		folder := filepath.Join(t.TempDir(), "clip")
		if err := pretrained.WriteRandom(folder, arch, 1); err != nil {
			t.Fatal(err)
		}
		for _, format := range clip.Formats() {
			with(t, folder, clip.Options{ImageSize: 2 * arch.Patch, Precision: format.Name, Inference: true}, func(s *torch.Scope, model *clip.Model) {
				pictures := make([]float32, 2*3*4*arch.Patch*arch.Patch)
				for i := range pictures {
					pictures[i] = float32(i%13) / 7
				}
				side := int64(2 * arch.Patch)
				embedded := model.Vision.Embed(s.FromFloat32(pictures, 2, 3, side, side))
				before := torch.LiveHandles()
				class := model.Vision.ClassToken(s, embedded)
				if count := torch.LiveHandles() - before; count != 1 {
					t.Errorf("%s, %d blocks: it leaves %d tensors behind", format.Name, depth, count)
				}
				x := embedded
				for i := range depth {
					x = model.Vision.Block(s, i, x)
				}
				want, bound := x.Narrow(1, 0, 1), 1e-6
				if format.Name != "fp32" {
					bound = 1.0 / 256
				}
				if off := departure(class.Float32s(), want.Float32s()); !slices.Equal(class.Shape(), want.Shape()) || !(off <= bound) {
					t.Errorf("%s, %d blocks: shape %v departs by %.2g", format.Name, depth, class.Shape(), off)
				}
			})
		}
	}
}
