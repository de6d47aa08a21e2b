package pretrained

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"acdclip/pkg/weights"
)

// Any configuration is either accepted or gives an error of this package.
func FuzzConfiguration(f *testing.F) {
	for _, name := range []string{"hugging_face/config.json", "open_clip/open_clip_config.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0], "preprocess_cfg": {"mean": [0.5, 0.5, {}]}, "model_cfg": {}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		folder := t.TempDir()
		path := filepath.Join(folder, "config.json")
		for _, name := range []string{path, filepath.Join(folder, "preprocessor_config.json")} {
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, format := range []string{FormatHuggingFace, FormatOpenCLIP} {
			arch := fixtureArch("")
			c := &configuration{path: path}
			err := readJSON(path, &c.tree)
			if err == nil {
				_, err = c.agree(format, &arch)
			}
			if err == nil {
				_, err = c.normalised(format)
			}
			if err != nil && (!errors.Is(err, ErrNotCLIP) || len(err.Error()) > 2000) {
				t.Errorf("an error of another kind: %v", err)
			}
		}
	})
}

// Any tensors of a valid file give a CLIP or an error of this package.
func FuzzTensorList(f *testing.F) {
	f.Add("visual.conv1.weight", "vision_model.x", int64(64), int64(5))
	f.Add("visual.positional_embedding", "visual.transformer.resblocks.9999999999.x", int64(1), int64(1))
	f.Add("visual.proj", "", int64(-1), int64(0))
	f.Fuzz(func(t *testing.T, first, second string, rows, columns int64) {
		rows, columns = rows&63, columns&63
		shape := []int64{rows, columns}
		var out bytes.Buffer
		data := make([]float32, rows*columns)
		if weights.WriteSafetensors(&out, nil, []weights.Value{{Name: first, Shape: shape, Float32: data}, {Name: second, Shape: shape, Float32: data}}) != nil {
			return // not a valid file: a duplicate name, or one that is not UTF-8
		}
		path := filepath.Join(t.TempDir(), "clip")
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrNotCLIP) {
			t.Errorf("%v", err)
		}
	})
}
