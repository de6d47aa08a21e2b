package anomalyclip

import (
	"cmp"
	"encoding/json"
	"path/filepath"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/internal/torchtest"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/model"
	"acdclip/pkg/model/anomalyclip/options"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// recipe describes a model for a test.
type recipe struct {
	clip    string
	options options.Model
	loss    options.Loss
	values  model.Values // nil: initial values of seed 5

	featureCache int64 // bytes
	featureHalf  bool  // kept as float16

	warned *[]string // receives warnings; if not nil, another CLIP is allowed
}

// with builds a model and runs f on it inside Do.
func with(t testing.TB, r recipe, f func(s *torch.Scope, m *Model) error) error {
	t.Helper()
	return withCLIP(t, r, func(s *torch.Scope, c *clip.Model, tok *tokenizer.Tokenizer) error {
		m, err := New(s, r.on(c, tok))
		if err != nil {
			return err
		}
		return f(s, m)
	})
}

// on returns the options for New to build the model on a CLIP.
func (r recipe) on(c *clip.Model, tok *tokenizer.Tokenizer) model.Options {
	o := model.Options{CLIP: c, Tokenizer: tok, Model: &r.options, Loss: &r.loss, Values: r.values, Seed: 5, FeatureCache: model.FeatureCache{Bytes: r.featureCache, Half: r.featureHalf}}
	if r.warned != nil {
		o.AllowOtherCLIP, o.Warn = true, func(text string) { *r.warned = append(*r.warned, text) }
	}
	return o
}

// withCLIP loads a recipe's CLIP and runs f on it inside Do.
func withCLIP(t testing.TB, r recipe, f func(s *torch.Scope, c *clip.Model, tok *tokenizer.Tokenizer) error) error {
	t.Helper()
	input := r.options.Input()
	return cliptest.With(t, r.clip, clip.Options{ImageSize: input.Size, Activation: input.Activation, Positions: input.Positions}, f)
}

// about is what a golden file's metadata say.
type about struct {
	CLIP         string    `json:"clip"`       // relative to the file
	Activation   string    `json:"activation"` // "": the method's
	Size         int       `json:"image_size"`
	Levels       []int     `json:"features_list"`
	VVBlocks     int       `json:"dpam_blocks"`
	Words        int       `json:"n_ctx"`
	Depth        int       `json:"depth"`
	Tokens       int       `json:"t_n_ctx"`
	Sigma        float64   `json:"sigma"`
	LearningRate float64   `json:"learning_rate"`
	Betas        []float64 `json:"betas"`
	Lambda       float64   `json:"lam"`
}

func described(t testing.TB, want *golden.Tensors) (a about) {
	t.Helper()
	if err := json.Unmarshal([]byte(want.Metadata["golden"]), &a); err != nil {
		t.Fatal(err)
	}
	a.CLIP = cmp.Or(a.CLIP, want.Metadata["clip"], "../clip_tiny_openai.pt")
	a.Activation = cmp.Or(a.Activation, want.Metadata["activation"])
	return a
}

// goldens runs test on each of the method's golden files, of which name is the path
// without its extension.
func goldens(t *testing.T, test func(t *testing.T, name string)) {
	golden.Run(t, []string{"methods/anomalyclip_1.safetensors", "methods/anomalyclip_1.pth"}, func(t *testing.T, f golden.Folder) {
		for _, path := range f.Glob("methods/anomalyclip_*.pth") {
			name := path[:len(path)-len(".pth")]
			t.Run(filepath.Base(name), func(t *testing.T) { test(t, name) })
		}
	})
}

// goldenRecipe is the model of a golden file's checkpoint with the file's options.
func goldenRecipe(t testing.TB, name string, want *golden.Tensors) recipe {
	t.Helper()
	a := described(t, want)
	c := openReleased(t, name+".pth")
	own, loss := *c.Metadata.Model.(*options.Model), *c.Metadata.Loss.(*options.Loss)
	if own.Words != a.Words || own.Depth != a.Depth || own.Tokens != a.Tokens {
		t.Errorf("the file's shapes say E %d, M %d, t %d, want %d, %d, %d", own.Words, own.Depth, own.Tokens, a.Words, a.Depth, a.Tokens)
	}
	own.ImageSize, own.Levels, own.Sigma, loss.Lambda = a.Size, a.Levels, a.Sigma, a.Lambda
	own.Activation = cmp.Or(activation.Activation(a.Activation), own.Activation)
	r := recipe{clip: filepath.Join(filepath.Dir(name), filepath.FromSlash(a.CLIP)), options: own, loss: loss, values: c, featureCache: 1 << 30}
	r.options.VVFrom = visionDepth(t, r.clip) + 1 - a.VVBlocks
	return r
}

func visionDepth(t testing.TB, clip string) int {
	t.Helper()
	weights, err := pretrained.Open(clip)
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	return weights.Arch.VisionLayers
}
