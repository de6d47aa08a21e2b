package detect

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/golden"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/events"
	"acdclip/pkg/model/methods"
)

// Assumptions about a CLIP, and an activation that is not its own, are reported.
func TestWhatIsAssumedIsTold(t *testing.T) {
	folder := filepath.Join(golden.Root(), "testdata", "golden")
	// The same CLIP, once with a configuration and once as a bare state dict.
	theirs, bare := filepath.Join(folder, "clip_tiny_hf"), filepath.Join(folder, "clip_tiny_openai.pt")
	adapters := filepath.Join(folder, "released_n2_adapter_1.pth")
	for _, c := range []struct {
		clip     string
		settings []string
		warnings []string // what each says
		notices  []string
	}{
		{theirs, nil, nil, []string{"model.activation is gelu, but"}},
		{theirs, []string{"model.activation=gelu"}, []string{"was trained with quick_gelu"}, nil},
		{theirs, []string{"model.activation=auto"}, nil, nil},
		{bare, nil, []string{"attention heads"}, nil},
		{bare, []string{"clip_heads.vision=1"}, []string{"1 in the text tower"}, nil},
		{bare, []string{"model.activation=auto"}, []string{"attention heads", "does not say which activation"}, nil},
		{bare, []string{"model.activation=auto", "clip_heads.vision=1", "clip_heads.text=1"}, []string{"does not say which activation"}, nil},
	} {
		var seen eventList
		d, err := Open(context.Background(), Options{
			Methods: methods.All(),
			Config:  load(t, append([]string{"device=cpu", "threads=1", "model.image_size=98", "clip=" + c.clip}, c.settings...)...), Checkpoint: adapters, Emit: seen.emit,
		})
		if err != nil {
			t.Errorf("%s %v: %v", c.clip, c.settings, err)
			continue
		}
		d.Close()
		var warnings, notices []string
		for _, event := range seen {
			switch event := event.(type) {
			case events.Warning:
				warnings = append(warnings, event.Text)
			case events.Notice:
				if strings.HasPrefix(event.Text, "model.activation is") {
					notices = append(notices, event.Text)
				}
			}
		}
		if !eachSays(warnings, c.warnings) || !eachSays(notices, c.notices) {
			t.Errorf("%s %v: warnings %q, notices %q", c.clip, c.settings, warnings, notices)
		}
	}
}

func eachSays(texts, says []string) bool {
	for i, text := range texts {
		if i >= len(says) || !strings.Contains(text, says[i]) {
			return false
		}
	}
	return len(texts) == len(says)
}

// altered copies the Hugging Face CLIP to a new folder and changes one value of a tensor.
func altered(t *testing.T, arch pretrained.Arch, tensor string, value float32) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "clip")
	if err := pretrained.WriteRandom(folder, arch, 1); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "model.safetensors")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	length := binary.LittleEndian.Uint64(content)
	var header map[string]struct {
		Offsets [2]int `json:"data_offsets"`
	}
	decoder := json.NewDecoder(io.LimitReader(bytes.NewReader(content[8:]), int64(length)))
	if err := decoder.Decode(&header); err != nil {
		t.Fatal(err)
	}
	at := 8 + int(length) + header[tensor].Offsets[0]
	binary.LittleEndian.PutUint32(content[at:], math.Float32bits(value))
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// A CLIP with a NaN is rejected while it is loaded; one with wrong shapes is rejected
// before.
func TestWhatCannotFitIsNotRead(t *testing.T) {
	const tensor = "text_model.encoder.layers.5.self_attn.k_proj.bias"
	tiny, err := pretrained.Open(filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf"))
	if err != nil {
		t.Fatal(err)
	}
	tiny.Close()
	arch := tiny.Arch
	narrow, deep, foreign, other := arch, arch, arch, arch
	narrow.EmbedDim = 128
	deep.VisionLayers = 7
	foreign.VocabSize = 1000
	other.VisionWidth = 192
	other.VisionHeads = 3
	for name, c := range map[string]struct {
		arch pretrained.Arch
		says string
	}{
		"what fits":        {arch, tensor},
		"embedding":        {narrow, "embedding width 128"},
		"depth":            {deep, "model.groups"},
		"vocabulary":       {foreign, "vocabulary has 1000 tokens"},
		"adapters' shapes": {other, "does not match the model"},
	} {
		folder := altered(t, c.arch, tensor, float32(math.NaN()))
		_, err := Open(context.Background(), Options{
			Methods:    methods.All(),
			Config:     load(t, "device=cpu", "threads=1", "model.image_size=98", "clip="+folder),
			Checkpoint: filepath.Join(golden.Root(), "testdata", "golden", "released_n2_adapter_1.pth"), Emit: func(events.Event) {},
		})
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "NaN") != (c.says == tensor) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
