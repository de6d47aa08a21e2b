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
	if err := Check(arch(6), &own, nil); err == nil || !strings.Contains(err.Error(), "needs a multiple of 4") {
		t.Errorf("6 blocks: %v", err)
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

// TestNoCluster: without a cluster, all embeddings are taken.
func TestNoCluster(t *testing.T) {
	embeddings := []float32{1, 0, 0, 1}
	got := representative(embeddings, 2, options.Text{Select: options.Cluster, Radius: 0.1, Count: 2})
	if math.Abs(float64(got[0])-math.Sqrt(0.5)) > 1e-7 || got[0] != got[1] {
		t.Errorf("got %v", got)
	}
}

// TestWarnOfClusters: what the choice of prompts hangs on is told.
func TestWarnOfClusters(t *testing.T) {
	for name, c := range map[string]struct {
		embeddings []float32 // of width 2
		says       []string
	}{
		"one cluster":     {[]float32{1, 0, 1, 0, 1, 0}, nil},
		"no cluster":      {[]float32{1, 0, 0, 1}, []string{"bolt, abnormal prompts: none has 2 neighbours within 0.5"}},
		"at the radius":   {[]float32{1, 0, 1, 0, 1, 0.5}, []string{"bolt, abnormal prompts: 2 pairs are as far apart as model.text.radius"}},
		"near the radius": {[]float32{1, 0, 1, 0, 1, 0.49999}, nil},
	} {
		var told []string
		m := Model{options: options.Default(), warn: func(text string) { told = append(told, text) }}
		m.options.Text = options.Text{Select: options.Cluster, Radius: 0.5, Count: 2}
		m.warnOfClusters("bolt", 1, c.embeddings, 2)
		if len(told) != len(c.says) || len(told) == 1 && !strings.HasPrefix(told[0], c.says[0]) {
			t.Errorf("%s: %q", name, told)
		}
		told = nil
		m.options.Text.Select = options.Mean
		m.warnOfClusters("bolt", 1, c.embeddings, 2)
		if told != nil {
			t.Errorf("%s: without clusters: %q", name, told)
		}
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
