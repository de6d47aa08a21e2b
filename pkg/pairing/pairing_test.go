package pairing

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	acdclip "acdclip/pkg/model/acdclip/options"
	"acdclip/pkg/model/card"
	clipad "acdclip/pkg/model/clipad/options"
	winclip "acdclip/pkg/model/winclip/options"
	"acdclip/pkg/report"
	"acdclip/pkg/trained"
)

func methods() card.List { return card.List{acdclip.Card(), winclip.Card(), clipad.Card()} }

// entry reads a configuration with these settings.
func entry(t *testing.T, name string, set ...string) Entry {
	t.Helper()
	loaded, err := (config.Catalog{Methods: methods()}).Load(config.Sources{Set: set, OwnModel: true})
	if err != nil {
		t.Fatal(err)
	}
	return Entry{loaded, name}
}

// models are those of entries; every checkpoint is read as one of ACD-CLIP, trained on the
// dataset that its file is named after. A file named "gone" is an error.
func models(entries []Entry, checkpoints ...string) *Models {
	m := New(entries, checkpoints, methods())
	m.Read = func(path string, _ card.List, c config.Loaded) (trained.Model, error) {
		name := strings.TrimSuffix(filepath.Base(path), ".pth")
		if name == "gone" {
			return trained.Model{}, fmt.Errorf("%s: %w", path, os.ErrNotExist)
		}
		own, _, _ := acdclip.Preset(acdclip.Paper)
		return trained.Model{
			Path: path, Loaded: c, Options: &own,
			Metadata: checkpoint.Metadata{Method: acdclip.Name, Auxiliary: name}, Source: report.Checkpoint{Auxiliary: name},
		}, nil
	}
	return m
}

func described(list []*trained.Model) []string {
	var texts []string
	for _, m := range list {
		texts = append(texts, strings.TrimSpace(m.Source.Model+" "+filepath.Base(m.Name())+" on "+m.Metadata.Auxiliary))
	}
	return texts
}

func TestModelsOfATarget(t *testing.T) {
	paired := []string{`data.pairing={"visa": "mvtec", "*": "visa"}`, `checkpoints={"visa": ["visa.pth"], "mvtec": ["mvtec.pth", "unknown.pth"]}`}
	for _, c := range []struct {
		name    string
		entries []Entry
		given   []string // with --checkpoint
		target  string
		want    []string
		says    []string
		wraps   error
	}{
		{"paired", []Entry{entry(t, "", paired...)}, nil, "btad", []string{"visa.pth on visa"}, nil, nil},
		{"a target of its own", []Entry{entry(t, "", paired...)}, nil, "visa", []string{"mvtec.pth on mvtec", "unknown.pth on mvtec"}, nil, nil},
		{"given", []Entry{entry(t, "", paired...)}, []string{"btad.pth"}, "visa", []string{"btad.pth on btad"}, nil, nil},
		{"given twice", []Entry{entry(t, "")}, []string{"a.pth", "./a.pth"}, "visa", nil, []string{"visa: the checkpoint ./a.pth is given twice"}, ErrTwice},
		{"none", []Entry{entry(t, "")}, nil, "visa", nil, []string{"no checkpoint for visa: give --checkpoint"}, ErrNoCheckpoint},
		{"not paired", []Entry{entry(t, "a", `checkpoints={"visa": ["visa.pth"]}`)}, nil, "btad", nil, []string{"models.a: no checkpoint for btad: there are checkpoints for visa, but data.pairing pairs btad with none of them"}, ErrNoCheckpoint},
		{"none in a model's file", []Entry{entry(t, "a")}, nil, "btad", nil, []string{"models.a: no checkpoint for btad: set checkpoints and data.pairing in the model's file"}, ErrNoCheckpoint},
		{"none for the auxiliary", []Entry{entry(t, "a", `data.pairing={"*": "visa"}`)}, nil, "btad", nil, []string{"models.a: no checkpoint for btad: data.pairing pairs it with the auxiliary dataset visa, but checkpoints.visa is empty"}, ErrNoCheckpoint},
		{"nothing to train", []Entry{entry(t, "", append(paired, "method=winclip")...)}, nil, "btad", []string{"method winclip on none"}, nil, nil},
		{"not trained", []Entry{entry(t, "", "method=clip_ad")}, nil, "btad", []string{"method clip_ad on none"}, nil, nil},
		{"no fall back", []Entry{entry(t, "", "method=clip_ad", `checkpoints={"mvtec": ["mvtec.pth"]}`, `data.pairing={"*": "visa"}`)}, nil, "btad", nil, []string{"checkpoints.visa is empty"}, ErrNoCheckpoint},
		{"several", []Entry{entry(t, "a", paired...), entry(t, "b", append(paired, "model.groups=4")...), entry(t, "w", "method=winclip")}, nil, "btad", []string{"a visa.pth on visa", "b visa.pth on visa", "w method winclip on none"}, nil, nil},
		{
			"all that is missing", []Entry{entry(t, "a", `data.pairing={"*": "v"}`, `checkpoints={"v": ["gone.pth"]}`), entry(t, "b"), entry(t, "w", "method=winclip")}, nil, "btad",
			nil, []string{"models.a: ", "gone.pth", "models.b: no checkpoint for btad"}, os.ErrNotExist,
		},
	} {
		m := models(c.entries, c.given...)
		list, err := m.Of(c.target)
		if c.wraps == nil {
			if err != nil || !slices.Equal(described(list), c.want) {
				t.Errorf("%s: %q, %v, want %q", c.name, described(list), err, c.want)
			}
			again, err := m.Of(c.target)
			if err != nil || !slices.Equal(again, list) {
				t.Errorf("%s: other models at the second time: %q, %v", c.name, described(again), err)
			}
			continue
		}
		if !errors.Is(err, c.wraps) || slices.ContainsFunc(c.says, func(text string) bool { return !strings.Contains(err.Error(), text) }) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}

// TestEntriesStayApart: one file is a model of its own for each entry.
func TestEntriesStayApart(t *testing.T) {
	paired := []string{`data.pairing={"*": "visa"}`, `checkpoints={"visa": ["visa.pth"]}`}
	list, err := models([]Entry{entry(t, "a", paired...), entry(t, "b", append(paired, "precision=bf16")...)}).Of("btad")
	if err != nil {
		t.Fatal(err)
	}
	if list[0] == list[1] || list[0].Loaded.Config.Precision == list[1].Loaded.Config.Precision {
		t.Errorf("%+v", list)
	}
}

func TestCheckpointsAreReadFirst(t *testing.T) {
	if err := models([]Entry{entry(t, "")}, "visa.pth", "gone.pth").Check(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestCheckKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.yaml")
	if err := os.WriteFile(path, []byte("method: winclip\nclip: c\nmodel: {windows: [2]}\ndata: {pairing: {a: b}, mask_resize: bilinear}\nseed: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := (config.Catalog{Methods: methods()}).Load(config.Sources{Files: []string{path}, Set: []string{"threads=1"}, OwnModel: true})
	if err != nil {
		t.Fatal(err)
	}
	err = Entry{loaded, "w"}.CheckKeys(path)
	if !errors.Is(err, ErrCommonKey) {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"models.w: ": true, ":4: data.mask_resize: ": true, ":5: seed: ": true, "threads": false, "windows": false, "pairing": false} {
		if strings.Contains(err.Error(), text) != want {
			t.Errorf("%q: %v in %v", text, !want, err)
		}
	}
}

func TestUnknownTargets(t *testing.T) {
	e := entry(t, "a", `data.roots={"colon_colondb": "x", "visa": "y"}`, `data.pairing={"colondb": "mvtec", "zebra": "visa", "visa": "mvtec", "*": "visa"}`)
	want := []string{"models.a: data.pairing.colondb: no dataset of that name is given (did you mean colon_colondb?)", "models.a: data.pairing.zebra: no dataset of that name is given"}
	if got := e.UnknownTargets(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestSeen(t *testing.T) {
	list, err := models([]Entry{entry(t, "")}, "visa.pth", "mvtec.pth").Of("btad")
	if err != nil {
		t.Fatal(err)
	}
	unseen, seen := Unseen(list, "VisA_20220922")
	if !slices.Equal(described(unseen), []string{"mvtec.pth on mvtec"}) || !slices.Equal(described(seen), []string{"visa.pth on visa"}) {
		t.Errorf("unseen %q, seen %q", described(unseen), described(seen))
	}
	set := &data.Dataset{Name: "visa"}
	if leak, err := Leak(t.Context(), list[0], set, true); !leak || err != nil {
		t.Errorf("a leak that is allowed: %v, %v", leak, err)
	}
	if _, err := Leak(t.Context(), list[0], set, false); !errors.Is(err, ErrLeak) || !strings.HasSuffix(err.Error(), "so the result would not be zero-shot; --allow-leak scores it anyway") {
		t.Errorf("a leak: %v", err)
	}
	if leak, err := Leak(t.Context(), list[1], set, false); leak || err != nil {
		t.Errorf("no leak: %v, %v", leak, err)
	}
}

func TestCheckSizes(t *testing.T) {
	one := []*trained.Model{{Options: &winclip.Model{ImageSize: 240}, Metadata: checkpoint.Metadata{Method: "winclip"}}}
	if err := CheckSizes(one); err != nil {
		t.Error(err)
	}
	err := CheckSizes(append(one, &trained.Model{Path: "a.pth", Options: &clipad.Model{ImageSize: 336}}))
	if !errors.Is(err, ErrSizes) || !strings.HasPrefix(err.Error(), "method winclip works at 240 pixels and a.pth at 336, so their pixel metrics") {
		t.Errorf("%v", err)
	}
}
