package finished

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/conditions"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/sealed"
)

func TestParseShare(t *testing.T) {
	for text, want := range map[string]Share{"1/1": {1, 1}, "2/4": {2, 4}, "10000/10000": {10000, 10000}} {
		if got, err := ParseShare(text); err != nil || got != want || got.String() != text {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "1", "/", "1/", "/2", "0/2", "3/2", "-1/2", "1/2/3", "a/b", "1/10001", " 1/2"} {
		if got, err := ParseShare(text); err == nil || !strings.Contains(err.Error(), "I/N") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// TestSharesPart checks that every batch is in exactly one share, and that shares differ by at most one batch.
func TestSharesPart(t *testing.T) {
	for of := 1; of < 8; of++ {
		for batches := range 30 {
			counts := make([]int, of)
			for batch := range batches {
				for i := range of {
					if (Share{i + 1, of}).Has(batch) {
						counts[i]++
					}
				}
			}
			for batch := range batches {
				if !(Share{}).Has(batch) {
					t.Errorf("the whole lacks batch %d", batch)
				}
			}
			sum := 0
			for _, count := range counts {
				sum += count
				if counts[0]-count > 1 || count > counts[0] {
					t.Errorf("%d batches in %d shares: %v", batches, of, counts)
				}
			}
			if sum != batches {
				t.Errorf("%d batches in %d shares: %v", batches, of, counts)
			}
		}
	}
}

// plan has two targets of two classes.
func plan() Plan {
	result := func(target string) report.Result {
		return report.Result{
			Target: target, ListHash: "sha256:" + target, MaskPolicy: "nonzero",
			Checkpoint: report.Checkpoint{Source: report.Source{Path: "a.safetensors", Fingerprint: "sha256:1"}},
			Classes:    []report.Row{{Class: "a", Prompt: "thing a"}, {Class: "b", Prompt: "thing b"}},
			Conditions: conditions.Record{
				conditions.Of(conditions.Numbers, "pictures", "sha256:"+target),
				conditions.Of(conditions.Numbers, "domain", "industrial"),
			},
		}
	}
	return Plan{
		Format: FormatVersion, Share: Share{1, 2}, First: [][]int{{0, 3}, {5, 9}},
		Evaluation: report.Evaluation{
			Results: []report.Result{result("bolts"), result("tiles")},
			Conditions: conditions.Record{
				conditions.Of(conditions.Bits, "--batch", 4),
				conditions.Of(conditions.Numbers, "CLIP", "sha256:c"),
				conditions.Of(conditions.Extras, report.GatesCondition, false),
				conditions.Of(conditions.Extras, report.FilesCondition, ""),
			},
		},
	}
}

// set changes the value of a condition.
func set(r conditions.Record, name, value string) conditions.Record {
	changed := slices.Clone(r)
	for i := range changed {
		if changed[i].Name == name {
			changed[i].Value = value
		}
	}
	return changed
}

func create(t testing.TB, path string, p Plan) *Folder {
	t.Helper()
	folder, err := Create(path, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestKeepAndFind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shard-1-of-2")
	folder := create(t, path, plan())
	if c, err := folder.Finished(0, 1); c != nil || err != nil {
		t.Errorf("before anything is kept: %v, %v", c, err)
	}
	pixels := somePixels(t)
	class := Class{
		Row: report.Row{Class: "b", Prompt: "thing b", Counts: report.Counts{Normal: 1, Failed: 1}, Metrics: report.Metrics{"image_ap": 1. / 3}},
		Scores: []report.Score{
			{Target: "bolts", Class: "b", Checkpoint: "a.safetensors", Path: "x.png", Place: 3, Score: 0.1, ClassProbability: new(float32(0.3)), MapMax: 1},
			{Target: "bolts", Class: "b", Checkpoint: "a.safetensors", Path: "y.png", Place: 4, Anomalous: true, Error: "cut off"},
		},
	}
	if err := folder.Keep(0, 1, class, pixels); err != nil {
		t.Fatal(err)
	}
	opened, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := opened.Finished(0, 1)
	if err != nil || got == nil || !reflect.DeepEqual(Class{Row: got.Row, Scores: got.Scores}, class) {
		t.Errorf("got %+v, %v, want %+v", got, err, class)
	}
	for _, other := range [][2]int{{0, 0}, {1, 0}, {1, 1}} {
		if c, err := opened.Finished(other[0], other[1]); c != nil || err != nil {
			t.Errorf("class %v: %v, %v", other, c, err)
		}
	}
	if n, err := opened.Classes(); n != 1 || err != nil {
		t.Errorf("%d classes are finished, %v", n, err)
	}
	read, err := metrics.NewPixels(metrics.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	if err := opened.ReadPixels(0, 1, got, read); err != nil {
		t.Fatal(err)
	}
	a, _ := pixels.Summary()
	if b, err := read.Summary(); a != b || err != nil {
		t.Errorf("pixels %+v, %v, want %+v", b, err, a)
	}
	// A class without its pixel file is not finished.
	if err := os.Remove(folder.file(folder.Plan.Key(0, 1) + ".pixels")); err != nil {
		t.Fatal(err)
	}
	if c, err := opened.Finished(0, 1); c != nil || err != nil {
		t.Errorf("without pixels: %v, %v", c, err)
	}
}

func somePixels(t testing.TB) *metrics.Pixels {
	t.Helper()
	pixels, err := metrics.NewPixels(metrics.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pixels.Close() })
	if err := pixels.Add([]float32{0.25, 0.5, 0.75, 1}, []uint8{0, 1, 0, 1}, 2, 2); err != nil {
		t.Fatal(err)
	}
	return pixels
}

// TestOtherPlans checks that plans with other conditions are rejected and have other keys.
func TestOtherPlans(t *testing.T) {
	first := plan()
	for _, c := range []struct {
		name   string
		change func(*Plan)
		says   string // the error of Create; "" if it succeeds
		key    bool   // the first target's keys stay
		joins  bool   // it is another share of the same
	}{
		{"nothing", func(*Plan) {}, "", true, true},
		{"another share", func(p *Plan) { p.Share.Index = 2 }, "", false, true},
		{"more shares", func(p *Plan) { p.Share.Of = 3 }, "", false, false},
		{"another place of the checkpoint", func(p *Plan) { p.Evaluation.Results[0].Checkpoint.Path = "b" }, "", true, true},
		{"fewer targets", func(p *Plan) { p.First, p.Evaluation.Results = p.First[:1], p.Evaluation.Results[:1] }, "target tiles and checkpoint a.safetensors", true, false},
		{"batch", func(p *Plan) { p.Evaluation.Conditions = set(p.Evaluation.Conditions, "--batch", "8") }, "--batch: 4 there, 8 here", false, false},
		{"CLIP", func(p *Plan) { p.Evaluation.Conditions = set(p.Evaluation.Conditions, "CLIP", "sha256:d") }, "not the same evaluation: CLIP", false, false},
		{"gates", func(p *Plan) {
			p.Evaluation.Conditions = set(p.Evaluation.Conditions, report.GatesCondition, "true")
		}, "--gates: false there, true here", false, false},
		{"maps", func(p *Plan) {
			p.Evaluation.Conditions = set(p.Evaluation.Conditions, report.FilesCondition, "npy")
		}, "--save-maps, --figures and --html: none there, npy here", true, true},
		{"a condition that is not recorded", func(p *Plan) { p.Evaluation.Conditions = p.Evaluation.Conditions[1:] }, "--batch: 4 there, not recorded here", false, false},
		{"more targets", func(p *Plan) {
			more := p.Evaluation.Results[1]
			more.Target = "nuts"
			p.First, p.Evaluation.Results = append(p.First, p.First[1]), append(p.Evaluation.Results, more)
		}, "", true, false},
		{"another place among the batches", func(p *Plan) { p.First[0][0] = 1 }, "", false, true},
		{"pictures", func(p *Plan) {
			p.Evaluation.Results[0].Conditions = set(p.Evaluation.Results[0].Conditions, "pictures", "sha256:x")
		}, "target bolts: pictures", false, false},
		{"checkpoint", func(p *Plan) { p.Evaluation.Results[0].Checkpoint.Fingerprint = "x" }, "target bolts and checkpoint", true, true},
		{"domain", func(p *Plan) {
			p.Evaluation.Results[0].Conditions = set(p.Evaluation.Results[0].Conditions, "domain", "medical")
		}, "target bolts: domain: industrial there, medical here", false, false},
		{"prompt", func(p *Plan) { p.Evaluation.Results[0].Classes[0].Prompt = "x" }, "", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := t.TempDir()
			create(t, path, first)
			other := plan()
			c.change(&other)
			_, err := Create(path, other, nil)
			if (err == nil) != (c.says == "") || err != nil && (!errors.Is(err, ErrDiffers) || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("Create: %v", err)
			}
			if same := first.Key(0, 0) == other.Key(0, 0); same != c.key {
				t.Errorf("the key stays: %v", same)
			}
			joins := first.Joins(&other)
			if (joins == nil) != c.joins || joins != nil && !errors.Is(joins, ErrDiffers) {
				t.Errorf("Joins: %v", joins)
			}
		})
	}
	bytes := plan() // names of one text in JSON
	bytes.Evaluation.Results[0].Classes[0].Class, bytes.Evaluation.Results[0].Classes[1].Class = "\xfe", "\xff"
	bytes.Evaluation.Results[0].Classes[1].Prompt = bytes.Evaluation.Results[0].Classes[0].Prompt
	if bytes.Key(0, 0) == bytes.Key(0, 1) {
		t.Error("two classes have one key")
	}
	keys := map[string]bool{}
	for r := range 2 {
		for c := range 2 {
			keys[first.Key(r, c)] = true
		}
	}
	if len(keys) != 4 {
		t.Errorf("4 classes have %d keys", len(keys))
	}
}

func TestDamagedFolders(t *testing.T) {
	for name, content := range map[string]string{
		"no JSON":                 "{",
		"no sum":                  `{"format": 2}`,
		"another format":          resealed(`{"format": 1}`),
		"no such share":           resealed(`{"format": 2, "share": {"index": 3, "of": 2}}`),
		"classes without a place": resealed(`{"format": 2, "first": [[]], "evaluation": {"results": [{"classes": [{}]}]}}`),
		"a share of none":         resealed(`{"format": 2, "share": {"index": 1, "of": 0}}`),
		"places without results":  resealed(`{"format": 2, "share": {"index": 1, "of": 1}, "first": [[]]}`),
	} {
		path := t.TempDir()
		if err := os.WriteFile(filepath.Join(path, planName), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), planName) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Create(path, plan(), nil); err == nil {
			t.Errorf("%s: Create goes on with it", name)
		}
	}
	folder := create(t, t.TempDir(), plan())
	for name, content := range map[string]string{
		"is damaged":            `{"key"`,
		"was changed":           fmt.Sprintf(`{"key": %q, "row": {"class": "a", "prompt": "thing a"}, "sha256": "0"}`, folder.Plan.Key(0, 0)),
		"to another class than": resealed(fmt.Sprintf(`{"key": %q, "row": {"class": "b", "prompt": "thing a"}}`, folder.Plan.Key(0, 0))),
		"match its counts":      resealed(fmt.Sprintf(`{"key": %q, "row": {"class": "a", "prompt": "thing a", "normal": 2}, "scores": [{}]}`, folder.Plan.Key(0, 0))),
		"not in [0, 1]":         resealed(fmt.Sprintf(`{"key": %q, "row": {"class": "a", "prompt": "thing a", "pixel_aupro": 123456}, "scores": []}`, folder.Plan.Key(0, 0))),
		"a score is not in [0":  resealed(fmt.Sprintf(`{"key": %q, "row": {"class": "a", "prompt": "thing a", "normal": 1}, "scores": [{"score": -1}]}`, folder.Plan.Key(0, 0))),
		"its name says":         resealed(`{"key": "other", "row": {"class": "a", "prompt": "thing a"}}`),
	} {
		if err := os.WriteFile(folder.file(folder.Plan.Key(0, 0)+".json"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if c, err := folder.Finished(0, 0); c != nil || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, %v", name, c, err)
		}
	}
}

// resealed adds the correct checksum to a JSON object and returns anything else unchanged.
func resealed(text string) string {
	if sealedText, err := sealed.Marshal(json.RawMessage(text)); err == nil {
		return string(sealedText)
	}
	return text
}

// FuzzOpen checks that any plan is either rejected or usable.
func FuzzOpen(f *testing.F) {
	path := f.TempDir()
	create(f, path, plan())
	content, err := os.ReadFile(filepath.Join(path, planName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte(`{"format": 2, "share": {"index": 1, "of": 1}, "first": [[]], "evaluation": {"results": [{"classes": [{}]}]}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		content = []byte(resealed(string(content)))
		if err := os.WriteFile(filepath.Join(path, planName), content, 0o644); err != nil {
			t.Fatal(err)
		}
		folder, err := Open(path)
		if err != nil {
			return
		}
		if err := folder.Plan.Joins(&folder.Plan); err != nil {
			t.Errorf("a plan does not join itself: %v", err)
		}
		for i, r := range folder.Plan.Evaluation.Results {
			for j := range r.Classes {
				if c, err := folder.Finished(i, j); c != nil || err != nil {
					t.Errorf("a class that was never kept: %v, %v", c, err)
				}
			}
		}
	})
}

// FuzzFinished checks that any file of a class is either rejected or read as a class of the plan.
func FuzzFinished(f *testing.F) {
	folder := create(f, f.TempDir(), plan())
	key := folder.Plan.Key(0, 0)
	f.Add([]byte(`{"key": "` + key + `", "row": {"class": "a", "prompt": "thing a", "normal": 1}, "scores": [{"path": "x", "score": 0.5}]}`))
	f.Add([]byte(`{"key": "` + key + `", "pixels": "x", "row": {"class": "a", "prompt": "thing a"}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(folder.file(key+".json"), []byte(resealed(string(content))), 0o644); err != nil {
			t.Fatal(err)
		}
		if c, err := folder.Finished(0, 0); err == nil && c != nil && (c.Row.Class != "a" || c.Row.Prompt != "thing a") {
			t.Errorf("%+v", c)
		}
	})
}

// TestLostPlan checks that classes without a plan are not reused for other conditions.
func TestLostPlan(t *testing.T) {
	path := t.TempDir()
	folder := create(t, path, plan())
	if err := folder.Keep(0, 0, Class{Row: report.Row{Class: "a", Prompt: "thing a"}}, somePixels(t)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(folder.file(planName)); err != nil {
		t.Fatal(err)
	}
	other := plan()
	other.Evaluation.Conditions = set(other.Evaluation.Conditions, "--batch", "8")
	if c, err := create(t, path, other).Finished(0, 0); c != nil || err != nil {
		t.Errorf("of another batch: %v, %v", c, err)
	}
	if err := os.Remove(folder.file(planName)); err != nil {
		t.Fatal(err)
	}
	if c, err := create(t, path, plan()).Finished(0, 0); c == nil || err != nil {
		t.Errorf("of the same: %v, %v", c, err)
	}
}
