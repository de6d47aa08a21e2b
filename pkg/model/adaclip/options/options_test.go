package options

import (
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/config"
)

func TestPreset(t *testing.T) {
	card := Card()
	if len(card.Presets) != 1 || card.Presets[0].Name != Released || !card.Learns || !card.NeedsCheckpoint {
		t.Errorf("%+v", card)
	}
	m, l := Preset()
	if err := config.Validate("model", &m); err != nil {
		t.Error(err)
	}
	if err := config.Validate("loss", &l); err != nil {
		t.Error(err)
	}
	if in := m.Input(); in.Size != 518 || in.Activation != "gelu" || in.Positions != "bicubic" {
		t.Errorf("CLIP is loaded by %+v", in)
	}
	r := card.Presets[0].Recipe
	if r.Epochs != 5 || r.Batch != 1 || r.TextRate != 0.01 || r.VisionRate != 0.01 || r.RateDecay != 1 || r.Beta1 != 0.5 || r.WeightDecay != 0.01 || !r.Shuffle || r.Augment {
		t.Errorf("the recipe is %+v", r)
	}
}

func TestLevels(t *testing.T) {
	m, _ := Preset()
	for depth, want := range map[int][]int{24: {6, 12, 18, 24}, 12: {3, 6, 9, 12}, 8: {2, 4, 6, 8}, 6: {1, 3, 4, 6}} {
		if got := m.LevelsFor(depth); !slices.Equal(got, want) {
			t.Errorf("quarters of %d blocks: %v, want %v", depth, got, want)
		}
	}
	if m.NumLevels() != 4 || m.LevelsFor(2)[0] != 0 {
		t.Errorf("%d levels; of 2 blocks %v", m.NumLevels(), m.LevelsFor(2))
	}
	m.Levels = []int{2, 5}
	if got := m.LevelsFor(24); !slices.Equal(got, m.Levels) || m.NumLevels() != 2 {
		t.Errorf("%v", got)
	}
}

func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		change func(m *Model, l *Loss)
		says   string
	}{
		{func(m *Model, _ *Loss) { m.Levels = []int{3, 3} }, "model.levels: must be ascending, but 3 follows 3"},
		{func(m *Model, _ *Loss) { m.Levels = []int{0, 3} }, "model.levels"},
		{func(m *Model, _ *Loss) { m.Position = "nearest" }, "model.position"},
		{func(m *Model, _ *Loss) { m.VisionTokens = "both" }, "model.vision_tokens"},
		{func(m *Model, _ *Loss) { m.PromptTokens = "double" }, "model.prompt_tokens: must be half or float"},
		{func(m *Model, _ *Loss) { m.HSF.Clusters = 0 }, "model.hsf.clusters"},
		{func(m *Model, _ *Loss) { m.HSF.Weight = 1.5 }, "model.hsf.weight"},
		{func(m *Model, _ *Loss) { m.HSF.Seed = 1 << 32 }, "model.hsf.seed"},
		{func(m *Model, _ *Loss) { m.Sigma = -1 }, "model.sigma"},
		{func(m *Model, _ *Loss) { m.Depth = -1 }, "model.depth"},
		{func(m *Model, _ *Loss) { m.Length = 0 }, "model.length"},
		{func(_ *Model, l *Loss) { l.DiceOver = "columns" }, "loss.dice_over: must be auto, rows or picture"},
	} {
		m, l := Preset()
		test.change(&m, &l)
		err := config.Validate("model", &m)
		if err == nil {
			err = config.Validate("loss", &l)
		}
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v does not say %q", err, test.says)
		}
	}
}

func TestDescription(t *testing.T) {
	m, _ := Preset()
	if v := m.Variant(); v.Slug != "adaclip-j4m5" || v.Label != "J=4 m=5" || len(v.Fields) != 4 {
		t.Errorf("%+v", v)
	}
	if m.Depth = 0; m.NumBlocks() != 4 {
		t.Errorf("%d blocks by default", m.NumBlocks())
	}
	m.Levels = []int{3, 6}
	text := ""
	for _, fact := range m.Facts() {
		text += fact.Name + ": " + fact.Text + "\n"
	}
	if !strings.Contains(text, "levels: blocks 3 6\n") || !strings.Contains(text, "clusters: 20\n") {
		t.Errorf("%s", text)
	}
}

func TestDiceOver(t *testing.T) {
	for over, want := range map[DiceOver][2]bool{DiceAuto: {true, false}, DiceRows: {true, true}, DicePicture: {false, false}} {
		if got := [2]bool{over.Rows(1), over.Rows(2)}; got != want {
			t.Errorf("%s: rows with one picture and with two: %v, want %v", over, got, want)
		}
	}
}
