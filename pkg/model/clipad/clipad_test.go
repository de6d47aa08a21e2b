package clipad

import (
	"errors"
	"math"
	"strings"
	"testing"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/model/clipad/options"
)

func arch(depth int) pretrained.Arch {
	return pretrained.Arch{Patch: 7, VocabSize: tokenizer.VocabularySize, VisionLayers: depth, VisionWidth: 8, EmbedDim: 4}
}

func TestCheckAndComplete(t *testing.T) {
	own := options.Default()
	if err := Check(arch(8), &own, nil); err != nil {
		t.Error(err)
	}
	if err := Check(arch(3), &own, nil); err == nil || !strings.Contains(err.Error(), "needs at least 4") {
		t.Errorf("3 blocks: %v", err)
	}
	other := arch(8)
	other.VocabSize = 30522
	if err := Check(other, &own, nil); err == nil || !strings.Contains(err.Error(), "another tokenizer") {
		t.Errorf("another tokenizer: %v", err)
	}
	completed, err := Complete(arch(8), &own)
	if err != nil || completed.(*options.Model).Kind != options.SDPPlus || len(completed.(*options.Model).Levels) != 4 {
		t.Errorf("%+v, %v", completed, err)
	}
	own.Kind = options.SDP
	if _, err := Complete(arch(8), &own); err == nil || !strings.Contains(err.Error(), "nothing to train") {
		t.Errorf("training SDP: %v", err)
	}
}

// TestChoose: without a cluster all embeddings are taken, and what the choice hangs on is told.
func TestChoose(t *testing.T) {
	for name, c := range map[string]struct {
		embeddings []float32 // of width 2
		chosen     int
		says       string
	}{
		"one cluster":     {[]float32{1, 0, 1, 0, 1, 0}, 3, ""},
		"noise":           {[]float32{1, 0, 1, 0, 0, 1}, 2, ""},
		"no cluster":      {[]float32{1, 0, 0, 1}, 2, "none has 2 neighbours within 0.5"},
		"at the radius":   {[]float32{1, 0, 1, 0, 1, 0.5}, 3, "2 pairs are as far apart as model.text.radius"},
		"near the radius": {[]float32{1, 0, 1, 0, 1, 0.49999}, 3, ""},
	} {
		o := options.Text{Select: options.Cluster, Radius: 0.5, Count: 2}
		chosen, doubts := choose(c.embeddings, 2, o)
		if len(chosen) != c.chosen || (len(doubts) == 1) != (c.says != "") || c.says != "" && !strings.HasPrefix(doubts[0], c.says) {
			t.Errorf("%s: %v, %q", name, chosen, doubts)
		}
		o.Select = options.Mean
		if chosen, doubts := choose(c.embeddings, 2, o); len(chosen) != len(c.embeddings)/2 || doubts != nil {
			t.Errorf("%s: without clusters: %v, %q", name, chosen, doubts)
		}
	}
	got := unitMean([]float32{1, 0, 0, 1, 9, 9}, 2, []int{0, 1})
	if math.Abs(float64(got[0])-math.Sqrt(0.5)) > 1e-7 || got[0] != got[1] {
		t.Errorf("the unit mean is %v", got)
	}
}

// layers is a checkpoint with that many linear layers.
type layers int

func (l layers) Match([]checkpoint.Spec) error { return nil }
func (l layers) Read(string, []float32) error  { return nil }
func (l layers) Has(name string) bool {
	for i := range int(l) {
		if name == weightName(i) {
			return true
		}
	}
	return false
}

// TestLayersOfACheckpoint: the levels must be as many as the layers.
func TestLayersOfACheckpoint(t *testing.T) {
	own := options.Default()
	own.Kind = options.SDPPlus
	if err := Check(arch(8), &own, layers(4)); err != nil {
		t.Error(err)
	}
	err := Check(arch(8), &own, layers(3))
	if !errors.Is(err, clip.ErrOptions) || !strings.Contains(err.Error(), "the checkpoint has 3 linear layers, but the model has 4 levels, after blocks [2 4 6 8]; set model.levels") {
		t.Errorf("three layers: %v", err)
	}
	own.Levels = []int{2, 4, 8}
	if err := Check(arch(8), &own, layers(3)); err != nil {
		t.Error(err)
	}
}
