package options

import (
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config/section"
	"acdclip/pkg/model/card"
)

func TestReleased(t *testing.T) {
	layers := func(count int, prefix string) card.File {
		shapes := map[string][]int64{}
		for i := range count {
			n := string(rune('0' + i))
			shapes[prefix+"fc."+n+".weight"], shapes[prefix+"fc."+n+".bias"] = []int64{64, 128}, []int64{64}
		}
		return card.File{Shapes: shapes}
	}
	got, err := released(layers(4, "linear_layers."))
	if err != nil || got.Model.(*Model).Kind != SDPPlus || got.Names["linear.3.bias"] != "linear_layers.fc.3.bias" || len(got.Names) != 8 {
		t.Errorf("%+v, %v", got, err)
	}
	for name, want := range map[string]string{"train_on_visa.pth": "VisA", "train_on_mvtec.pth": "MVTec", "epoch_1.pth": ""} {
		file := layers(4, "linear_layers.")
		file.Name = name
		if got, err := released(file); err != nil || got.Auxiliary != want {
			t.Errorf("%s: trained on %q, %v", name, got.Auxiliary, err)
		}
	}
	if got, err := released(layers(4, "other.")); got != nil || err != nil {
		t.Errorf("another file: %v, %v", got, err)
	}
	if got, err := released(layers(3, "linear_layers.")); err != nil || len(got.Names) != 6 || len(got.Model.(*Model).Levels) != 0 {
		t.Errorf("three layers: %+v, %v", got, err)
	}
	if _, err := released(layers(4, "trainable_linearlayer.")); err == nil || !strings.Contains(err.Error(), "VAND-APRIL-GAN") {
		t.Errorf("a file of the forerunner: %v", err)
	}
}

func TestLevelsFor(t *testing.T) {
	for _, c := range []struct {
		levels []int
		depth  int
		want   []int
		says   string
	}{
		{nil, 12, []int{3, 6, 9, 12}, ""},
		{nil, 24, []int{6, 12, 18, 24}, ""},
		{[]int{2, 6}, 8, []int{2, 6}, ""},
		{[]int{3}, 8, nil, "lists 3, but the quarters of this CLIP's vision tower end after blocks 2, 4, 6 and 8"},
		{[]int{10}, 8, nil, "lists 10"},
		{nil, 6, []int{2, 3, 5, 6}, ""},
		{[]int{4}, 6, nil, "end after blocks 2, 3, 5 and 6"},
		{nil, 3, nil, "needs at least 4"},
	} {
		m := Default()
		m.Levels = c.levels
		got, err := m.LevelsFor(c.depth)
		if !slices.Equal(got, c.want) || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("levels %v of %d blocks: %v, %v", c.levels, c.depth, got, err)
		}
	}
	m := Default()
	m.Levels = []int{6, 3}
	if found := m.Contradictions(); len(found) != 1 || found[0].Key != "model.levels" {
		t.Errorf("descending levels: %v", found)
	}
}

func TestDefaults(t *testing.T) {
	m := Default()
	if m.NeedsCheckpoint() || m.ScoreRule() != section.ClassRange || m.Variant().Label != "SDP" {
		t.Errorf("the default needs a checkpoint, scores by %q or is %s", m.ScoreRule(), m.Variant().Label)
	}
	m.Kind, m.Score = SDPPlus, ScoreProbability
	if !m.NeedsCheckpoint() || m.ScoreRule() != section.EachPicture || m.Variant().Label != "SDP+" {
		t.Errorf("SDP+: %v, %q, %s", m.NeedsCheckpoint(), m.ScoreRule(), m.Variant().Label)
	}
	if found := (&Loss{}).Contradictions(); len(found) != 1 {
		t.Errorf("a loss without terms: %v", found)
	}
}
