package pretrained

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/builtin"
)

// cutFolder writes a small CLIP whose configuration has the given entries in text_config.
func cutFolder(t *testing.T, vocabulary int, entries map[string]any) string {
	t.Helper()
	arch := smallArch()
	arch.VocabSize = vocabulary
	dir := random(t, arch, 1)
	path := filepath.Join(dir, "config.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	for key, value := range entries {
		tree["text_config"].(map[string]any)[key] = value
	}
	if text, err = json.Marshal(tree); err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestCutVocabulary: kept tokens have rows of their own in rising order, after the rows that
// all others share.
func TestCutVocabulary(t *testing.T) {
	kept := []int{7, 320, 1000, 49406, 49407}
	c := open(t, cutFolder(t, 4+len(kept), map[string]any{"hashed_tokens": 4, "kept_tokens": kept}))
	rows := c.TokenRows()
	if c.Arch.HashedTokens != 4 || len(rows) != wholeVocabulary {
		t.Fatalf("%d hashed tokens, %d rows", c.Arch.HashedTokens, len(rows))
	}
	for id, want := range map[int]int64{0: 0, 1: 1, 5: 1, 6: 2, 7: 4, 8: 0, 320: 5, 1000: 6, 49405: 1, 49406: 7, 49407: 8} {
		if rows[id] != want {
			t.Errorf("token %d has row %d, want %d", id, rows[id], want)
		}
	}
	if whole := open(t, random(t, smallArch(), 1)); whole.TokenRows() != nil || whole.Arch.HashedTokens != 0 {
		t.Error("a whole vocabulary is cut")
	}
}

func TestCutVocabularyIsRefused(t *testing.T) {
	ends := []any{49406, 49407}
	with := func(ids ...any) []any { return append(ids, ends...) }
	for name, c := range map[string]struct {
		entries map[string]any
		says    string
	}{
		"the sum":        {map[string]any{"hashed_tokens": 5, "kept_tokens": with(1, 2)}, "must be the 8 tokens"},
		"no list":        {map[string]any{"hashed_tokens": 8}, "must be the 8 tokens"},
		"no number":      {map[string]any{"kept_tokens": with(1, 2, 3, 4, 5, 6)}, "must be the 8 tokens"},
		"hashed is text": {map[string]any{"hashed_tokens": "4", "kept_tokens": with(1, 2)}, "expected an integer"},
		"hashed is 0":    {map[string]any{"hashed_tokens": 0, "kept_tokens": with(1, 2, 3, 4, 5, 6)}, "expected an integer"},
		"not rising":     {map[string]any{"hashed_tokens": 4, "kept_tokens": with(2, 2)}, "2 at 1"},
		"too large":      {map[string]any{"hashed_tokens": 4, "kept_tokens": []any{1, 49406, 49407, 49408}}, "49408 at 3"},
		"negative":       {map[string]any{"hashed_tokens": 4, "kept_tokens": with(-1, 2)}, "-1 at 0"},
		"a fraction":     {map[string]any{"hashed_tokens": 4, "kept_tokens": with(1.5, 2)}, "1.5 at 0"},
		"text":           {map[string]any{"hashed_tokens": 4, "kept_tokens": with("a", 2)}, `"a" at 0`},
		"no end token":   {map[string]any{"hashed_tokens": 4, "kept_tokens": []any{1, 2, 3, 49406}}, "end token"},
	} {
		if _, err := Open(cutFolder(t, 8, c.entries)); !errors.Is(err, ErrNotCLIP) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBuiltin: the CLIP in the program is opened by its name alone, is small, and states all
// that others leave open.
func TestBuiltin(t *testing.T) {
	c := open(t, builtin.Tiny)
	if c.Path != builtin.Tiny || c.Note != "" || c.Format != FormatHuggingFace || c.Arch.Activation != GELU || c.Arch.HashedTokens == 0 {
		t.Errorf("%+v", c)
	}
	if builtin.ImageSize%c.Arch.Patch != 0 || !slices.Contains(c.KeptTokens, 320) { // 320 is "a"
		t.Errorf("%+v", c.Arch)
	}
	content, err := builtin.OpenCLIP(builtin.Tiny)
	if err != nil || len(content.Weights) > 4_000_000 {
		t.Errorf("%d bytes, %v", len(content.Weights), err)
	}
	sum := 0.0
	for _, tensor := range c.Tensors {
		values := make([]float32, tensor.NumElements())
		if err := tensor.ReadFloat32(values); err != nil {
			t.Fatal(err)
		}
		sum += float64(values[0])
	}
	if _, err := c.Fingerprint(); err != nil || sum == 0 {
		t.Error(err)
	}
	if _, err := Open("builtin:huge"); !errors.Is(err, builtin.ErrUnknown) || !strings.Contains(err.Error(), builtin.Tiny) {
		t.Errorf("got %v", err)
	}
}
