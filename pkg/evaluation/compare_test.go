package evaluation

import (
	"path/filepath"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/pkg/conditions"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/trained"
)

// named gives a model a name among those that are compared, and a CLIP.
func named(m *trained.Model, name, clip string) *trained.Model {
	m.Source.Model, m.Loaded.Config.Clip = name, clip
	return m
}

// TestComparedModels: each has its own CLIP among its conditions, so that a comparison goes
// on when a model with another CLIP is added, even before the others.
func TestComparedModels(t *testing.T) {
	tiny := func(name string) string { return filepath.Join(golden.Root(), "testdata", "golden", name) }
	set := drawn.Set(t, synth.Objects)
	o := evaluating(t, set)
	o.Jobs[0].Checkpoint = named(o.Jobs[0].Checkpoint, "b", tiny("clip_tiny_hf"))
	first, err := Begin(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "finished")
	if _, err := finished.Create(path, first.Plan(), nil); err != nil {
		t.Fatal(err)
	}
	added := named(checkpointOf(t, load(t, "precision=bf16"), "new.safetensors", nil), "a", tiny("clip_tiny_openai.pt"))
	o.Jobs = append([]Job{{Set: set, Checkpoint: added}}, o.Jobs...)
	more, err := Begin(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := finished.Create(path, more.Plan(), nil); err != nil {
		t.Errorf("a model was added: %v", err)
	}
	asked := conditions.Record{{Name: trained.CLIPCondition}, {Name: precisionCondition}}
	results := more.Plan().Evaluation.Results
	for i, precision := range []string{"bf16", "fp32"} {
		found := results[i].Conditions.Named(asked)
		if len(found) != 2 || found[0].Value == "" || found[1].Value != precision || results[i].CLIP == nil || results[i].CLIP.Fingerprint != found[0].Value {
			t.Errorf("result %d: %+v, CLIP %+v", i, found, results[i].CLIP)
		}
	}
	if len(more.Plan().Evaluation.Conditions.Named(asked)) != 0 {
		t.Error("the CLIP of one model is a condition of all")
	}
	o.Jobs[1].Checkpoint.Loaded.Config.Precision = "bf16"
	other, err := Begin(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := finished.Create(path, other.Plan(), nil); err == nil {
		t.Error("another precision of one model went on")
	}
}
