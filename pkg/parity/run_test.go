package parity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/scoring"
)

// brightness scores a picture by the mean of its map, which is its red values plus offset.
type brightness struct {
	offset float32
	seen   *[]string // the class of each scored picture
	broken string    // end of the path of a picture without a score
}

func (brightness) Size() int { return 8 }

func (b brightness) Score(_ context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int) ([]scoring.Scored, error) {
	var list []scoring.Scored
	for i, picture := range pictures {
		scored := scoring.Scored{Picture: picture, Map: &anomalymap.Map{Width: 8, Height: 8, Scores: make([]float32, 64)}}
		for j := range scored.Map.Scores {
			scored.Map.Scores[j] = float32(picture.Pix[3*j])/512 + b.offset
			scored.Score += scored.Map.Scores[j] / 64
		}
		if b.broken != "" && strings.HasSuffix(picture.Item.Path, b.broken) {
			scored.Err = errors.New("not finite")
		}
		if b.seen != nil {
			*b.seen = append(*b.seen, classes.Prompts[classOf[i]])
		}
		list = append(list, scored)
	}
	return list, nil
}

// TestRun checks that pictures reach both models with their classes, labels and masks, and
// that those that cannot be scored are left out with a warning.
func TestRun(t *testing.T) {
	set := drawn.Set(t, synth.Textures)
	var seen, warned []string
	o := Options{
		Single: brightness{}, Others: []Named{{"bf16", brightness{offset: 0.125, seen: &seen}}, {"int8", brightness{broken: set.Items[2].Path}}},
		Items: append(slices.Clone(set.Items), data.Item{Path: "none.png"}), Labelled: true, Batch: 3,
		Classes: domain.Classes{Prompts: []string{"wood", "stone"}, Domain: set.Domain}, Load: pixels.LoadOptions{MaskThreshold: set.MaskThreshold},
		Emit: func(event events.Event) {
			if warning, is := event.(events.Warning); is {
				warned = append(warned, warning.Text)
			}
		},
	}
	for i := range o.Items {
		o.ClassOf = append(o.ClassOf, i%2)
	}
	results, failed, err := Run(t.Context(), o)
	if err != nil || failed != 2 || len(results) != 2 {
		t.Fatalf("%v, %d failed, %v", results, failed, err)
	}
	for i, want := range []float64{0.125, 0} {
		r := results[i]
		if r.Precision != o.Others[i].Precision || r.Pictures != len(set.Items)-1 || !near(r.MapMean, want) || !near(r.MapLargest, want) || !near(r.ScoreLargest, want) {
			t.Errorf("%+v", r)
		}
		if r.ImageAUROC == nil || r.PixelAUROC == nil || r.PixelAUROC.Points != 0 {
			t.Errorf("%s: image AUROC %v, pixel AUROC %v", r.Precision, r.ImageAUROC, r.PixelAUROC)
		}
	}
	for i, class := range seen {
		if class != o.Classes.Prompts[i%2] {
			t.Errorf("picture %d was scored as %s", i, class)
		}
	}
	if len(seen) != len(set.Items) || len(warned) != 2 || !strings.Contains(fmt.Sprint(warned), "none.png") || !strings.Contains(fmt.Sprint(warned), set.Items[2].Path+": not finite; picture skipped") {
		t.Errorf("%d scored, warnings %q", len(seen), warned)
	}

	o.Labelled = false
	if results, _, err = Run(t.Context(), o); err != nil || results[0].ImageAUROC != nil || results[0].PixelAUROC != nil {
		t.Errorf("without labels: %+v, %v", results, err)
	}
	o.Items = []data.Item{{Path: "none.png"}}
	if results, failed, err = Run(t.Context(), o); err != nil || results != nil || failed != 1 {
		t.Errorf("without a readable picture: %v, %d, %v", results, failed, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err = Run(ended, o); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gives %v", err)
	}
}
