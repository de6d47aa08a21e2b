package trained

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/contents"
	"acdclip/pkg/data"
	"acdclip/pkg/report"
)

func TestTrainedOn(t *testing.T) {
	for _, c := range []struct {
		metadata checkpoint.Metadata
		name     string
		want     bool
	}{
		{checkpoint.Metadata{Auxiliary: "VisA", ListHash: "sha256:1"}, "visa", true},
		{checkpoint.Metadata{Auxiliary: "visa", ListHash: "sha256:1"}, "VisA_20220922", true},
		{checkpoint.Metadata{Auxiliary: "visa", ListHash: "sha256:1"}, "mvtec", false},
		{checkpoint.Metadata{Auxiliary: "parts"}, "parts", true},
		// A companion of the auxiliary dataset, by any spelling.
		{checkpoint.Metadata{Auxiliary: "mvtec_anomaly_detection"}, "colondb", true},
		{checkpoint.Metadata{Auxiliary: "mvtec"}, "clinicdb", false},
		{checkpoint.Metadata{Auxiliary: "visa"}, "colondb", false},
		{checkpoint.Metadata{Auxiliary: checkpoint.Unknown}, "colondb", false},
		// What a checkpoint that the training started from had seen.
		{checkpoint.Metadata{Auxiliary: "btad", ListHash: "sha256:1", Earlier: []string{"MVTec", "CVC-ColonDB"}}, "colondb", true},
		{checkpoint.Metadata{Auxiliary: "btad", ListHash: "sha256:1", Earlier: []string{checkpoint.Unknown}}, "unknown", false},
		// The placeholders "unknown" and "none" can also be names of datasets.
		{checkpoint.Metadata{Auxiliary: checkpoint.Unknown}, "unknown", false},
		{checkpoint.Metadata{Auxiliary: NoAuxiliary}, "none", false},
		{checkpoint.Metadata{Auxiliary: "unknown", ListHash: "sha256:1"}, "unknown", true},
		{checkpoint.Metadata{Auxiliary: "none", ListHash: "sha256:1"}, "none", true},
	} {
		m := Model{Metadata: c.metadata, Companions: map[string][]string{"MVTec": {"CVC-ColonDB"}}}
		if got := m.TrainedOn(c.name); got != c.want {
			t.Errorf("trained on %s, list %q: %v of %s", c.metadata.Auxiliary, c.metadata.ListHash, got, c.name)
		}
	}
}

// TestSetAuxiliary: the user's word counts only for a checkpoint that does not say it itself.
func TestSetAuxiliary(t *testing.T) {
	for _, c := range []struct{ path, recorded, given, want string }{
		{"epoch_15.pth", checkpoint.Unknown, "visa", "visa"},
		{"epoch_15.pth", checkpoint.Unknown, "", checkpoint.Unknown},
		{"last.safetensors", "mvtec", "visa", "mvtec"},
		{"", NoAuxiliary, "visa", NoAuxiliary},
	} {
		m := Model{Path: c.path, Metadata: checkpoint.Metadata{Auxiliary: c.recorded}, Source: report.Checkpoint{Auxiliary: c.recorded}}
		m.SetAuxiliary(c.given)
		if m.Metadata.Auxiliary != c.want || m.Source.Auxiliary != c.want {
			t.Errorf("%+v: %q, %q", c, m.Metadata.Auxiliary, m.Source.Auxiliary)
		}
	}
}

// TestLeak detects leaks by the dataset's name, by its benchmark and by identical files.
func TestLeak(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	root := t.TempDir()
	set := &data.Dataset{Name: "parts", Root: root}
	for i, content := range []string{"one", "two", "three"} {
		path := filepath.Join(root, string(rune('a'+i))+".png")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		set.Items = append(set.Items, data.Item{Path: path})
	}
	sums, err := contents.Hasher{}.Sums(t.Context(), root, set.PictureFiles())
	if err != nil {
		t.Fatal(err)
	}
	benchmark, found := data.FindBenchmark("mpdd")
	if !found {
		t.Fatal("no benchmark mpdd")
	}
	ofBenchmark := *set
	ofBenchmark.Benchmark = &benchmark
	for _, c := range []struct {
		name     string
		metadata checkpoint.Metadata
		set      *data.Dataset
		says     []string // none: no leak
	}{
		{"another dataset", checkpoint.Metadata{Auxiliary: "visa"}, set, nil},
		{"the same name", checkpoint.Metadata{Auxiliary: "Parts"}, set, []string{"a.safetensors was trained on parts itself (as Parts)"}},
		{"the same benchmark", checkpoint.Metadata{Auxiliary: "MPDD"}, &ofBenchmark, []string{"was trained on parts itself (as MPDD)"}},
		{"a companion of the auxiliary", checkpoint.Metadata{Auxiliary: "visa"}, &ofBenchmark, []string{"was trained on parts itself, together with visa"}},
		{"other files", checkpoint.Metadata{Auxiliary: "visa", Files: contents.NewSet([]contents.Sum{{Size: 3}})}, set, nil},
		{"two of its files", checkpoint.Metadata{Auxiliary: "visa", Files: contents.NewSet([]contents.Sum{sums[2], sums[0], {Size: 9}})}, set, []string{"was trained on visa, which contains 2 of the 3 pictures of parts: ", "a.png", "c.png"}},
	} {
		m := Model{Path: "a.safetensors", Metadata: c.metadata, Companions: map[string][]string{"VisA": {"MPDD"}}}
		got, err := m.Leak(t.Context(), c.set)
		if err != nil || (got == "") != (c.says == nil) || slices.ContainsFunc(c.says, func(text string) bool { return !strings.Contains(got, text) }) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

func TestSharedPrompts(t *testing.T) {
	set := &data.Dataset{Classes: []data.Class{{Name: "1", Prompt: "bolt"}, {Name: "2", Prompt: "nut"}, {Name: "3", Prompt: "gear"}}}
	m := Model{Metadata: checkpoint.Metadata{Prompts: []string{"gear", "bolt", "wood"}}}
	got := m.SharedPrompts(set)
	slices.Sort(got)
	if !slices.Equal(got, []string{"bolt", "gear"}) {
		t.Errorf("shared %q", got)
	}
}
