package adaclip

import (
	"cmp"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/internal/torchtest"
	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/adaclip/options"
	"acdclip/pkg/model/card"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// recipe describes a model for a test.
type recipe struct {
	clip    string
	options options.Model
	loss    options.Loss
	values  model.Values // nil: initial values of seed 5
}

// with builds a model and runs f on it inside Do.
func with(t testing.TB, r recipe, f func(s *torch.Scope, m *Model) error) error {
	t.Helper()
	input := r.options.Input()
	load := clip.Options{ImageSize: input.Size, Activation: input.Activation, Positions: input.Positions}
	return cliptest.With(t, r.clip, load, func(s *torch.Scope, c *clip.Model, tok *tokenizer.Tokenizer) error {
		m, err := New(s, model.Options{CLIP: c, Tokenizer: tok, Model: &r.options, Loss: &r.loss, Values: r.values, Seed: 5, FeatureCache: model.FeatureCache{Bytes: 1 << 20}})
		if err != nil {
			return err
		}
		return f(s, m)
	})
}

// requireGrad enables gradients for the parameters, like a trainer.
func requireGrad(m *Model) {
	for _, p := range m.parameters {
		p.Tensor.RequireGrad(true)
	}
}

// about is the metadata of a golden file.
type about struct {
	CLIP       string                `json:"clip"` // relative to the file
	Activation activation.Activation `json:"activation"`
	ImageSize  int                   `json:"image_size"`
	Levels     []int                 `json:"output_layers"`
	Depth      int                   `json:"prompting_depth"`
	Length     int                   `json:"prompting_length"`
	Clusters   int                   `json:"k_clusters"`
	Seed       int64                 `json:"kmeans_seed"`
	Sigma      float64               `json:"sigma"`
	Classes    []string              `json:"classes"`
	Rate       float64               `json:"learning_rate"`
	Betas      [2]float64            `json:"betas"`
	Decay      float64               `json:"weight_decay"`
}

// released is one golden file of the released code with the file of its parameters.
type released struct {
	path  string
	want  *golden.Tensors
	about about
}

// openReleased opens a golden file.
func openReleased(t testing.TB, path string) released {
	t.Helper()
	r := released{path: path, want: golden.Open(t, path)}
	if err := json.Unmarshal([]byte(r.want.Metadata["golden"]), &r.about); err != nil {
		t.Fatal(err)
	}
	r.about.CLIP = cmp.Or(r.about.CLIP, r.want.Metadata["clip"], "../clip_tiny_openai.pt")
	return r
}

// recipe is the model of a golden file.
func (r released) recipe(t testing.TB) recipe {
	t.Helper()
	c, err := checkpoint.Open(strings.TrimSuffix(r.path, ".safetensors")+".pth", card.List{options.Card()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	own := *c.Metadata.Model.(*options.Model)
	if own.Depth != r.about.Depth || own.Length != r.about.Length {
		t.Errorf("the parameters' shapes say depth %d and length %d, want %d and %d", own.Depth, own.Length, r.about.Depth, r.about.Length)
	}
	own.ImageSize, own.Levels, own.Sigma = r.about.ImageSize, r.about.Levels, r.about.Sigma
	own.Activation = cmp.Or(r.about.Activation, own.Activation)
	own.HSF.Clusters, own.HSF.Seed = r.about.Clusters, r.about.Seed
	return recipe{clip: filepath.Join(filepath.Dir(r.path), r.about.CLIP), options: own, loss: *c.Metadata.Loss.(*options.Loss), values: c}
}

// goldens runs test on each golden file of the released code.
func goldens(t *testing.T, test func(t *testing.T, r released)) {
	golden.Run(t, []string{"methods/adaclip_1.safetensors", "methods/adaclip_1.pth"}, func(t *testing.T, f golden.Folder) {
		for _, path := range f.Glob("methods/adaclip_*.safetensors") {
			t.Run(filepath.Base(path), func(t *testing.T) { test(t, openReleased(t, path)) })
		}
	})
}

func tensor(s *torch.Scope, v golden.Values) torch.Tensor {
	return s.FromFloat32(v.Float32(), v.Shape...)
}

// classes returns the different names of the pictures' classes, and the index of each picture's.
func (a about) classes() (classes domain.Classes, classOf []int) {
	classes = cliptest.Industrial()
	places := map[string]int{}
	for _, name := range a.Classes {
		if _, known := places[name]; !known {
			places[name] = len(places)
			classes.Prompts = append(classes.Prompts, name)
		}
		classOf = append(classOf, places[name])
	}
	return classes, classOf
}
