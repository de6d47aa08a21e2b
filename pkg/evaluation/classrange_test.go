package evaluation

import (
	"fmt"
	"slices"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/config/section"
	"acdclip/pkg/report"
)

// TestGoldenClassRange compares with the scores of CLIP-AD's authors, which are the sum of
// both parts; ours are half of it.
func TestGoldenClassRange(t *testing.T) {
	golden.Run(t, []string{"methods/clip_ad_1.safetensors"}, func(t *testing.T, f golden.Folder) {
		for _, path := range f.Glob("methods/clip_ad_*.safetensors") {
			want := golden.Open(t, path)
			classOf := want.Take(t, "in.class").Data
			for _, variant := range []string{"sdp", "plus"} {
				probabilities, maxima := want.Take(t, variant+".probability"), want.Take(t, variant+".map_max")
				scores := want.Take(t, variant+".score.dataset").Data
				for class := 0.0; class <= slices.Max(classOf); class++ {
					c := Class{}
					var expected []float64
					for i := range scores {
						if classOf[i] == class {
							c.add(float32(probabilities.Data[i]), float32(maxima.Data[i]))
							expected = append(expected, scores[i]/2)
						}
					}
					c.applyRule(section.ClassRange)
					if worst := golden.Worst(c.images, expected); !(worst <= 5e-5) {
						t.Errorf("%s, class %v: largest difference %g", variant, class, worst)
					}
				}
			}
		}
	})
}

// add adds a picture with a class probability and the maximum of its own map.
func (c *Class) add(probability, maximum float32) {
	c.Scores = append(c.Scores, report.Score{
		Path: fmt.Sprint(len(c.Scores)), Score: probability, ClassProbability: &probability, RawMapMax: &maximum,
	})
	c.images = append(c.images, probability)
}

func TestClassRange(t *testing.T) {
	c := Class{}
	c.add(0.5, -3)
	c.add(0.5, 1)
	c.Scores = append(c.Scores, report.Score{Error: "cannot be read"})
	c.add(0.5, 5)
	c.applyRule(section.ClassRange) // equal probabilities count as 0
	if want := []float32{0, 0.25, 0.5}; !slices.Equal(c.images, want) {
		t.Errorf("scores %v, want %v", c.images, want)
	}
	if raw := c.Scores[3].RawScore; raw == nil || *raw != 1 || c.Scores[2].RawScore != nil {
		t.Errorf("raw scores of the pictures: %+v", c.Scores)
	}
	if c.Scores[2].Score != 0 || c.Scores[3].Score != 0.5 {
		t.Errorf("scores of the pictures: %+v", c.Scores)
	}
	plain := Class{}
	plain.add(0.7, 9)
	plain.applyRule(section.EachPicture)
	if plain.images[0] != 0.7 {
		t.Errorf("a score of its own became %v", plain.images[0])
	}
	without := Class{Scores: []report.Score{{Score: 0.2, MapMax: 0.1}, {Score: 0.4, MapMax: 0.3}}, images: []float32{0.2, 0.4}}
	without.applyRule(section.ClassRange)
	if without.images[0] != 0 || without.images[1] != 1 {
		t.Errorf("without a probability: %v", without.images)
	}
}
