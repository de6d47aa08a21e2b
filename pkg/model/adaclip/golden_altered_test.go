package adaclip

import (
	"strings"
	"testing"

	"acdclip/internal/golden"
)

// TestAlteredNumbersAreFound checks that a comparison fails after one number of a golden
// tensor was changed.
func TestAlteredNumbersAreFound(t *testing.T) {
	golden.Run(t, []string{"methods/adaclip_1.safetensors", "methods/adaclip_1.pth"}, func(t *testing.T, f golden.Folder) {
		r := openReleased(t, f.File("methods/adaclip_1.safetensors"))
		from := r.recipe(t)
		for _, test := range []struct {
			compare func(t testing.TB, r released)
			names   []string
		}{
			{func(t testing.TB, r released) { compareScores(t, r, from) }, []string{
				"in.image", "position", "visual.embedded", "frozen.class", "dynamic.visual", "dynamic.text", "visual.tap.0", "visual.class",
				"patch.unit.0", "class.unit", "text.ids.normal", "text.ids.abnormal", "text.hidden.1", "text.hidden.2", "text.raw.normal",
				"text.raw.abnormal", "text.features", "logits.0", "hsf.indices", "hsf.labels", "hsf.inertia", "hsf.feature",
				"map", "map.smooth", "score", "score.no_hsf",
			}},
			{func(t testing.TB, r released) { compareSteps(t, r, from, false) }, []string{
				"in.mask", "in.label", "losses", "losses.focal", "losses.dice", "train.hsf.indices", "train.hsf.labels",
				"grad.cls_token_layer.head.0.weight", "grad.text_prompter.static_prompts.1", "grad.dynamic_visual_prompt_generator.head.0.bias",
				"after2.visual_prompter.static_prompts.0", "after2.text_prompter.static_prompts.0", "after2.patch_token_layer.head.0.bias",
			}},
		} {
			for _, name := range test.names {
				if !r.want.Has(name) {
					continue // other files have other sizes
				}
				changed := r
				changed.want = r.want.Altered(t, name, func(shape []int64, values []float32) { alter(name, shape, values) })
				if len(golden.Failures(t, func(t testing.TB) { test.compare(t, changed) })) == 0 {
					t.Errorf("a changed number in %s goes unseen", name)
				}
			}
		}
	})
}

// alter changes the number that is most likely to matter.
func alter(name string, shape []int64, values []float32) {
	switch {
	case name == "in.mask" || name == "in.label":
		values[0] = 1 - values[0] // of the picture of the first step
		return
	case strings.HasPrefix(name, "text.hidden."):
		values = values[:shape[2]] // the first row; later ones may be padding
	}
	golden.AlterLargest(values) // 0 is the inertia where every patch is a cluster
}
