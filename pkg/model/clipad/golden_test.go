package clipad

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
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
	"acdclip/pkg/model/card"
	"acdclip/pkg/model/clipad/dbscan"
	"acdclip/pkg/model/clipad/options"
	"acdclip/pkg/model/prompt"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

const goldenFile = "methods/clip_ad_1.safetensors"

// TestGolden compares with the authors' code, step by step.
func TestGolden(t *testing.T) {
	golden.Run(t, []string{goldenFile}, func(t *testing.T, f golden.Folder) {
		for _, path := range f.Glob("methods/clip_ad_*.safetensors") {
			t.Run(filepath.Base(path), func(t *testing.T) {
				want := golden.Open(t, path)
				want.Compare(t, measure(t, want, path))
				// pkg/data/pixels/picture compares the resizing, pkg/evaluation the scores of a
				// dataset; text.half is for information.
				want.AllUsed(t, "in.picture.", "in.mask.", "in.label", "text.half.", "sdp.score.dataset", "plus.score.dataset")
			})
		}
	})
}

// TestAlteredNumbersAreFound checks that each tensor is compared.
func TestAlteredNumbersAreFound(t *testing.T) {
	golden.Run(t, []string{goldenFile}, func(t *testing.T, f golden.Folder) {
		path := f.File(goldenFile)
		checks := measure(t, golden.Open(t, path), path)
		for _, c := range checks {
			altered := golden.Altered(t, path, c.Name)
			if len(golden.Failures(t, func(t testing.TB) { altered.Compare(t, checks) })) == 0 {
				t.Errorf("a changed number in %s goes unseen", c.Name)
			}
		}
	})
}

// measurement collects what the method computes from a file's pictures.
type measurement struct {
	t       testing.TB
	want    *golden.Tensors
	path    string
	size    int
	levels  []int
	classes []string
	classOf []int
	checks  []golden.Check
}

func (m *measurement) add(name string, got []float32, limit float64, relative bool) {
	m.checks = append(m.checks, golden.Check{Name: name, Got: got, Limit: limit, Relative: relative})
}

func (m *measurement) relative(name string, got torch.Tensor, limit float64) {
	m.add(name, got.Float32s(), limit, true)
}

func (m *measurement) absolute(name string, got torch.Tensor, limit float64) {
	m.add(name, got.Float32s(), limit, false)
}

// measure computes the tensors of a golden file.
func measure(t testing.TB, want *golden.Tensors, path string) []golden.Check {
	t.Helper()
	m := &measurement{t: t, want: want, path: path}
	var err error
	if m.size, err = strconv.Atoi(want.Metadata["image_size"]); err != nil {
		t.Fatal(err)
	}
	for key, into := range map[string]any{"taps": &m.levels, "classes": &m.classes} {
		if err := json.Unmarshal([]byte(want.Metadata[key]), into); err != nil {
			t.Fatal(err)
		}
	}
	for _, class := range want.Take(t, "in.class").Data {
		m.classOf = append(m.classOf, int(class))
	}
	linear, err := checkpoint.Open(filepath.Join(filepath.Dir(path), want.Metadata["linear"]), card.List{options.Card()})
	if err != nil {
		t.Fatal(err)
	}
	defer linear.Close()
	load := clip.Options{ImageSize: m.size, Activation: activation.Activation(want.Metadata["activation"])}
	err = cliptest.With(t, filepath.Join(filepath.Dir(path), want.Metadata["clip"]), load, func(s *torch.Scope, c *clip.Model, tok *tokenizer.Tokenizer) error {
		o := model.Options{CLIP: c, Tokenizer: tok, Loss: linear.Metadata.Loss}
		for _, part := range []struct {
			values model.Values
			sigma  string
			do     func(s *torch.Scope, m *Model) error
		}{
			{nil, "sdp", m.texts},
			{nil, "sdp", m.sdp},
			{linear, "plus", m.plus},
			{linear, "plus", m.train},
		} {
			own := *linear.Metadata.Model.(*options.Model)
			own.ImageSize, own.Levels = m.size, m.levels
			own.Text.Radius, own.Text.Count, own.Sigma = settings(t, want.Metadata[part.sigma])
			if o.Values = part.values; part.values == nil {
				own.Kind = options.SDP
			}
			o.Model = &own
			built, err := New(s, o)
			if err != nil {
				return err
			}
			if err := s.Within(func(inner *torch.Scope) error { return part.do(inner, built) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.checks
}

var settingsForm = regexp.MustCompile(`^dbscan ([\d.]+)/(\d+), sigma ([\d.]+)`)

// settings reads "dbscan 0.5/15, sigma 8".
func settings(t testing.TB, text string) (radius float64, count int, sigma float64) {
	t.Helper()
	part := settingsForm.FindStringSubmatch(text)
	if part == nil {
		t.Fatalf("settings %q", text)
	}
	radius, _ = strconv.ParseFloat(part[1], 64)
	count, _ = strconv.Atoi(part[2])
	sigma, _ = strconv.ParseFloat(part[3], 64)
	return radius, count, sigma
}

// texts adds the prompts' embeddings, and each selection among them.
func (m *measurement) texts(s *torch.Scope, built *Model) error {
	width := built.clip.Arch.EmbedDim
	for i, name := range m.classes {
		var embeddings [prompt.States][]float32
		for state, suffix := range []string{"normal", "abnormal"} {
			var err error
			if embeddings[state], err = built.embed(m.t.Context(), s, name, state); err != nil {
				return err
			}
			m.add(fmt.Sprintf("text.embeddings.%d.%s", i, suffix), embeddings[state], 1e-5, true)
		}
		mean := options.Text{Select: options.Mean}
		m.add(fmt.Sprintf("text.mean.%d", i), columns(embeddings, width, mean), 1e-5, true)
		for _, tensor := range m.want.Names("text.dbscan_") {
			name, labels := strings.CutSuffix(tensor, fmt.Sprintf(".%d.labels.normal", i))
			if !labels {
				continue
			}
			o := options.Text{Select: options.Cluster}
			if _, err := fmt.Sscanf(strings.ReplaceAll(strings.TrimPrefix(name, "text.dbscan_"), "_", " "), "%g %d", &o.Radius, &o.Count); err != nil {
				return err
			}
			m.add(fmt.Sprintf("%s.%d", name, i), columns(embeddings, width, o), 1e-5, true)
			for state, suffix := range []string{"normal", "abnormal"} {
				var found []float32
				for _, label := range dbscan.Cluster(embeddings[state], width, o.Radius, o.Count) {
					found = append(found, float32(label))
				}
				m.add(fmt.Sprintf("%s.%d.labels.%s", name, i, suffix), found, 0, false)
			}
		}
	}
	return nil
}

// columns returns both states' vectors as the columns of [E, 2].
func columns(embeddings [prompt.States][]float32, width int, o options.Text) []float32 {
	var states [prompt.States][]float32
	for state, of := range embeddings {
		chosen, _ := choose(of, width, o)
		states[state] = unitMean(of, width, chosen)
	}
	normal, abnormal := states[prompt.Normal], states[prompt.Abnormal]
	var all []float32
	for i := range normal {
		all = append(all, normal[i], abnormal[i])
	}
	return all
}

// pictures returns the normalised pictures of the file.
func (m *measurement) pictures(s *torch.Scope, built *Model) torch.Tensor {
	resized := m.want.Take(m.t, "in.resized")
	values := make([]uint8, len(resized.Data))
	for i, value := range resized.Data {
		values[i] = uint8(value)
	}
	return model.Normalize(s, s.FromUint8(values, resized.Shape...), built.Input())
}

// text returns the text of each picture's class.
func (m *measurement) text(s *torch.Scope, built *Model) (torch.Tensor, model.Prepared, error) {
	ready, err := built.Prepare(m.t.Context(), s, domain.Classes{Prompts: m.classes, Domain: domain.Industrial})
	if err != nil {
		return torch.Tensor{}, nil, err
	}
	text, err := ready.(prompt.Features).Choose(s, m.classOf)
	return text, ready, err
}

func (m *measurement) sdp(s *torch.Scope, built *Model) error {
	input := m.pictures(s, built)
	text, ready, err := m.text(s, built)
	if err != nil {
		return err
	}
	m.relative("pos_embed.resized", built.clip.Vision.PositionEmbedding(), 1e-5)
	taps := built.encode(s, input, true)
	for i, level := range built.levels {
		m.relative(fmt.Sprintf("tap.%d.original", level), taps[i].original, 1e-5)
		m.relative(fmt.Sprintf("tap.%d.surgery", level), taps[i].surgery, 1e-5)
	}
	similarity, probability := built.sdp(taps, text)
	m.absolute("sdp.similarity", similarity, 1e-6)
	m.absolute("sdp.probability", probability, 1e-5)
	raw := built.maps(s, taps, text, similarity)
	m.absolute("sdp.map.raw", raw, 1e-6)
	m.absolute("sdp.map", built.filter.Apply(raw), 1e-6)
	scores, err := built.Score(s, input, m.classOf, ready)
	if err != nil {
		return err
	}
	m.absolute("sdp.map_max", scores.RawMaps.AMax(1, 2), 1e-6)
	m.inRange(scores)
	return nil
}

// inRange checks that scores keep the contract.
func (m *measurement) inRange(scores model.Scores) {
	for _, value := range append(scores.Maps.Float32s(), scores.Image.Float32s()...) {
		if !(value >= 0 && value <= 1) {
			m.t.Errorf("%v is not in [0, 1]", value)
			return
		}
	}
}

func (m *measurement) plus(s *torch.Scope, built *Model) error {
	input := m.pictures(s, built)
	text, ready, err := m.text(s, built)
	if err != nil {
		return err
	}
	taps := built.encode(s, input, true)
	for i, level := range built.levels {
		m.relative(fmt.Sprintf("plus.level.%d.logits", level), built.linears[i].logits(taps[i].original, text), 1e-5)
	}
	similarity, probability := built.sdp(taps, text)
	m.absolute("plus.probability", probability, 1e-5)
	m.relative("plus.map", built.filter.Apply(built.maps(s, taps, text, similarity)), 1e-5)
	scores, err := built.Score(s, input, m.classOf, ready)
	if err != nil {
		return err
	}
	m.relative("plus.map_max", scores.RawMaps.AMax(1, 2), 1e-5)
	m.inRange(scores)
	return nil
}

// train takes two steps: pictures 0 to 2, then the others.
func (m *measurement) train(s *torch.Scope, built *Model) error {
	input, target := m.pictures(s, built), m.want.Take(m.t, "in.target")
	masks := s.FromFloat32(target.Float32(), target.Shape...)
	adam := &torch.Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	var all []torch.Tensor
	for _, p := range built.parameters {
		p.Tensor.RequireGrad(true)
		all = append(all, *p.Tensor)
	}
	adam.AddGroup(s, 1e-4, all)
	count := int64(len(m.classOf))
	half := count / 2
	var losses, totals []float32
	for step, bounds := range [][2]int64{{0, half}, {half, count}} {
		start, length := bounds[0], bounds[1]-bounds[0]
		batch := model.Batch{
			Pictures: input.Narrow(0, start, length), Masks: masks.Narrow(0, start, length).Contiguous(),
			Labels: make([]int64, length), ClassOf: m.classOf[start : start+length], Classes: domain.Classes{Prompts: m.classes},
		}
		text, err := built.textOf(m.t.Context(), s, batch)
		if err != nil {
			return err
		}
		originals, err := built.originals(m.t.Context(), s, batch)
		if err != nil {
			return err
		}
		for i, l := range built.linears {
			focal, dice := built.levelLoss(l.logits(originals[i], text), batch.Masks)
			losses = append(losses, float32(focal.Item()), float32(dice.Item()))
		}
		loss, err := built.Loss(m.t.Context(), s, batch)
		if err != nil {
			return err
		}
		totals = append(totals, float32(loss.Total.Item()))
		adam.ClearGrads()
		loss.Total.Backward()
		for _, p := range built.parameters {
			gradient, _ := p.Tensor.Grad()
			m.relative(fmt.Sprintf("train.grad%d.%s", step+1, strings.Replace(p.Name, "linear", "fc", 1)), gradient, 1e-4)
		}
		adam.Step()
	}
	m.add("train.losses", losses, 1e-5, true)
	m.add("train.total", totals, 1e-5, true)
	for _, p := range built.parameters {
		name := "train.after2." + strings.Replace(p.Name, "linear", "fc", 1)
		m.absolute(name, *p.Tensor, 1e-5)
		m.fewBeyond(name, p.Tensor.Float32s(), 1e-6)
	}
	return nil
}

// fewBeyond checks that at most 0.1 % of the values differ by more than limit.
func (m *measurement) fewBeyond(name string, got []float32, limit float64) {
	beyond := 0
	for i, want := range m.want.Take(m.t, name).Data {
		if golden.Worst(got[i:i+1], []float64{want}) > limit {
			beyond++
		}
	}
	if beyond*1000 > len(got) {
		m.t.Errorf("%s: %d of %d values differ by more than %g", name, beyond, len(got), limit)
	}
}
