package winclip

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/cliptest"
	"acdclip/internal/golden"
	"acdclip/internal/torchtest"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/tokenizer"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/model/prompt"
	"acdclip/pkg/model/winclip/options"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// TestGolden compares with the numbers of both public implementations, step by step.
func TestGolden(t *testing.T) {
	golden.Run(t, []string{"methods/winclip_1.safetensors"}, func(t *testing.T, f golden.Folder) {
		for _, path := range f.Glob("methods/winclip_*.safetensors") {
			t.Run(filepath.Base(path), func(t *testing.T) {
				want := golden.Open(t, path)
				want.Compare(t, measure(t, want, path))
				want.AllUsed(t, "in.picture.") // pkg/data/pixels/picture compares the resizing
			})
		}
	})
}

// TestAlteredNumbersAreFound checks that each tensor is compared.
func TestAlteredNumbersAreFound(t *testing.T) {
	golden.Run(t, []string{"methods/winclip_1.safetensors"}, func(t *testing.T, f golden.Folder) {
		path := f.File("methods/winclip_1.safetensors")
		checks := measure(t, golden.Open(t, path), path)
		for _, name := range golden.Open(t, path).Names("") {
			if strings.HasPrefix(name, "in.picture.") {
				continue
			}
			altered := golden.Altered(t, path, name)
			failures := golden.Failures(t, func(t testing.TB) {
				compared := checks
				if strings.HasPrefix(name, "in.") { // fails where there is one class and it becomes another
					compared = measure(t, altered, path)
				}
				altered.Compare(t, compared)
			})
			if len(failures) == 0 {
				t.Errorf("a changed number in %s goes unseen", name)
			}
		}
	})
}

// metadata of a golden file, whose path is given.
type metadata struct {
	clip       string
	size       int
	activation activation.Activation
	windows    []int
	classes    []string
}

func read(t testing.TB, want *golden.Tensors, path string) metadata {
	t.Helper()
	m := metadata{clip: filepath.Join(filepath.Dir(path), want.Metadata["clip"]), activation: activation.Activation(want.Metadata["activation"])}
	var err error
	if m.size, err = strconv.Atoi(want.Metadata["image_size"]); err != nil {
		t.Fatal(err)
	}
	for key, into := range map[string]any{"scales": &m.windows, "classes": &m.classes} {
		if err := json.Unmarshal([]byte(want.Metadata[key]), into); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// measurement collects what the method computes from a file's pictures.
type measurement struct {
	t      testing.TB
	want   *golden.Tensors
	meta   metadata
	checks []golden.Check
}

func (m *measurement) relative(name string, got torch.Tensor, limit float64) {
	m.checks = append(m.checks, golden.Check{Name: name, Got: got.Float32s(), Limit: limit, Relative: true})
}

func (m *measurement) absolute(name string, got torch.Tensor, limit float64) {
	m.checks = append(m.checks, golden.Check{Name: name, Got: got.Float32s(), Limit: limit})
}

// measure computes every tensor of a golden file.
func measure(t testing.TB, want *golden.Tensors, path string) []golden.Check {
	t.Helper()
	meta := read(t, want, path)
	all := measurement{t: t, want: want, meta: meta}
	err := cliptest.With(t, meta.clip, clip.Options{ImageSize: meta.size, Activation: meta.activation}, func(s *torch.Scope, c *clip.Model, tok *tokenizer.Tokenizer) error {
		for _, run := range []struct {
			name, preset string
			windows      []int
		}{
			{"anomalib", options.Anomalib, meta.windows},
			{"winclip", options.CaoYunkang, meta.windows},
			{"winclip_full", options.CaoYunkang, append(slices.Clone(meta.windows), c.Vision.Grid)}, // the whole grid
		} {
			own, _ := options.Preset(run.preset)
			own.ImageSize, own.Activation, own.Windows = meta.size, meta.activation, run.windows
			m, err := New(s, model.Options{CLIP: c, Tokenizer: tok, Model: &own})
			if err != nil {
				return err
			}
			if err := s.Within(func(inner *torch.Scope) error { return all.add(inner, m, run.name) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.checks
}

// add computes a preset's tensors, step by step.
func (a *measurement) add(s *torch.Scope, m *Model, name string) error {
	ready, err := m.Prepare(a.t.Context(), s, domain.Classes{Prompts: a.meta.classes, Domain: domain.Industrial})
	if err != nil {
		return err
	}
	var classOf []int
	for _, class := range a.want.Take(a.t, "in.class").Data {
		classOf = append(classOf, int(class))
	}
	features := ready.(prompt.Features)
	text, err := features.Choose(s, classOf)
	if err != nil {
		return err
	}
	input := a.pictures(s, m)
	x := m.clip.Vision.Embed(input)
	whole := m.probabilities(m.encode(s, x), text)
	if name == "anomalib" {
		a.relative("pos_embed.resized", m.clip.Vision.PositionEmbedding(), 1e-5)
		a.relative("features.embed", m.clip.Vision.Tokens(input), 1e-5)
		a.relative("image.features", m.encode(s, x), 1e-5)
		a.texts("anomalib", features.Text)
	} else if name == "winclip" {
		a.texts("winclip", features.Text.Normalize(-1))
	}
	var scales []torch.Tensor
	for _, c := range m.scales {
		embeddings := m.encodeWindows(s, x, c)
		p := m.probabilities(embeddings, text)
		scales = append(scales, p)
		switch name {
		case "anomalib":
			a.windows(c, m.clip.Vision.Grid)
			a.relative(fmt.Sprintf("window.%d.features", c.side), embeddings, 1e-5)
			abnormal := state(p, prompt.Abnormal)
			a.absolute(fmt.Sprintf("anomalib.window.%d.score", c.side), abnormal, 1e-5)
			a.absolute(fmt.Sprintf("anomalib.scale.%d.map", c.side), c.reciprocals(abnormal).Pow(-1), 1e-5)
		case "winclip":
			a.absolute(fmt.Sprintf("winclip.window.%d.normality", c.side), state(p, prompt.Normal), 1e-5)
		}
	}
	a.absolute(name+".grid", m.grid(whole, scales), 1e-5)
	scores, err := m.Score(s, input, classOf, ready)
	if err != nil {
		return err
	}
	a.absolute(name+".map", scores.Maps, 1e-5)
	a.absolute(name+".score", scores.Image, 1e-5)
	return nil
}

func (a *measurement) texts(name string, text torch.Tensor) {
	for i := range a.meta.classes {
		a.relative(fmt.Sprintf("%s.text.%d", name, i), text.Narrow(0, int64(i), 1), 1e-5)
	}
}

// windows adds the patches of each window.
func (a *measurement) windows(c scale, grid int) {
	var patches []float32
	for _, window := range windowsOf(grid, int(c.side)) {
		for _, patch := range window {
			patches = append(patches, float32(patch))
		}
	}
	a.checks = append(a.checks, golden.Check{Name: fmt.Sprintf("mask.%d", c.side), Got: patches})
}

// pictures returns the normalised pictures of the file.
func (a *measurement) pictures(s *torch.Scope, m *Model) torch.Tensor {
	resized := a.want.Take(a.t, "in.resized")
	values := make([]uint8, len(resized.Data))
	for i, value := range resized.Data {
		values[i] = uint8(value)
	}
	return model.Normalize(s, s.FromUint8(values, resized.Shape...), m.Input())
}
