package adaclip

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/model"
	"acdclip/pkg/model/adaclip/kmeans"
	"acdclip/pkg/model/prompt"
)

// TestGoldenScores compares with the released code's numbers step by step, each step from
// the golden dynamic tokens on, and then end to end.
func TestGoldenScores(t *testing.T) {
	goldens(t, func(t *testing.T, r released) {
		compareScores(t, r, r.recipe(t))
		r.want.AllUsed(t, "in.picture_mask", "in.mask", "in.label", "losses", "train.", "grad.", "after2.")
	})
}

func compareScores(t testing.TB, r released, from recipe) {
	err := with(t, from, func(s *torch.Scope, m *Model) error {
		return s.Inference(func() error {
			g := ladder{t, s, m, r.about, r.want}
			g.pictures()
			pictures := g.take("in.image")
			embedded := g.frozen(pictures)
			seen := g.vision(embedded)
			text := g.text()
			mean := g.logits(seen, text)
			g.fusion(seen, mean)
			g.scores(seen, text)
			return g.endToEnd(pictures)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ladder compares one step after the other.
type ladder struct {
	t     testing.TB
	s     *torch.Scope
	m     *Model
	about about
	want  *golden.Tensors
}

// near compares a tensor, relative to its largest value.
func (g ladder) near(name string, got torch.Tensor, limit float64) {
	g.t.Helper()
	g.want.Relative(g.t, name, got.Float32s(), limit)
}

// take returns a golden tensor.
func (g ladder) take(name string) torch.Tensor {
	g.t.Helper()
	return tensor(g.s, g.want.Take(g.t, name))
}

// pictures compares the scaled and normalised pictures.
func (g ladder) pictures() {
	var scaled []uint8
	for i := range g.about.Classes {
		original := g.want.Take(g.t, fmt.Sprint("in.picture.", i))
		im := picture.NewImage(int(original.Shape[1]), int(original.Shape[0]))
		for j, value := range original.Data {
			im.Pix[j] = uint8(value)
		}
		scaled = append(scaled, im.ResizeBicubic(g.about.ImageSize, g.about.ImageSize).Pix...)
	}
	size := int64(g.about.ImageSize)
	pixels := g.s.FromUint8(scaled, int64(len(g.about.Classes)), size, size, 3)
	g.near("in.image", model.Normalize(g.s, pixels, g.m.Input()), 1e-6)
}

// frozen compares the tower without learned tokens and the dynamic tokens.
func (g ladder) frozen(pictures torch.Tensor) (embedded torch.Tensor) {
	g.near("position", g.m.clip.Vision.PositionEmbedding(), 1e-5)
	embedded = g.m.clip.Vision.Embed(pictures)
	g.near("visual.embedded", embedded.Narrow(0, 0, 1), 1e-5)
	frozen := g.m.frozenClass(g.s, embedded)
	g.near("frozen.class", frozen, 1e-5)
	g.near("dynamic.visual", g.m.visionTokens.dynamic(frozen), 1e-5)
	g.near("dynamic.text", g.m.textTokens.dynamic(frozen), 1e-5)
	return embedded
}

// vision compares the tower with learned tokens.
func (g ladder) vision(embedded torch.Tensor) features {
	seen := g.m.encodeImage(g.s, embedded, g.take("dynamic.visual"), g.taps(1e-5))
	for n, level := range seen.patches {
		g.near(fmt.Sprint("patch.unit.", n), level, 1e-5)
	}
	g.near("visual.class", seen.class, 1e-5)
	g.near("class.unit", g.m.unitClass(seen.class), 1e-5)
	return seen
}

func (g ladder) taps(limit float64) observe {
	return func(i int, x torch.Tensor) {
		if n := slices.Index(g.about.Levels, i+1); n >= 0 {
			g.near(fmt.Sprint("visual.tap.", n), x, limit)
		}
	}
}

// text compares the prompts of each picture, and returns T [B, E, 2].
func (g ladder) text() torch.Tensor {
	dynamic := g.take("dynamic.text")
	var features []torch.Tensor
	var raw [prompt.States][]float32
	for picture, name := range g.about.Classes {
		rows := g.m.tokenize(name)
		g.ids(picture, rows)
		p := g.m.encodePrefix(g.s, rows)
		var watch observe
		if picture == 0 {
			watch = func(i int, x torch.Tensor) { g.hidden(i, x, p.counts[prompt.Normal]) }
			watch(0, p.tokens)
		}
		embeddings := g.m.embedPrompts(g.s, p, dynamic.Narrow(0, int64(picture), 1), 1, watch)
		start := int64(0)
		for state, count := range p.counts {
			raw[state] = append(raw[state], embeddings.Narrow(1, start, count).Float32s()...)
			start += count
		}
		features = append(features, textFeatures(embeddings, p.counts))
	}
	g.want.Relative(g.t, "text.raw.normal", raw[prompt.Normal], 1e-5)
	g.want.Relative(g.t, "text.raw.abnormal", raw[prompt.Abnormal], 1e-5)
	text := torch.Cat(0, features...)
	g.near("text.features", text, 1e-5)
	return text
}

// ids compares the token ids of a picture's prompts.
func (g ladder) ids(picture int, rows [prompt.States][][]int32) {
	for state, name := range []string{"text.ids.normal", "text.ids.abnormal"} {
		want := g.want.Take(g.t, name)
		count, length := int(want.Shape[1]), int(want.Shape[2])
		for i := range count {
			at := (picture*count + i) * length
			got := make([]float64, length)
			for j := range got {
				got[j] = float64(rows[state][i][j])
			}
			if len(rows[state]) != count || !slices.Equal(got, want.Data[at:at+length]) {
				g.t.Errorf("%s of picture %d, prompt %d: %v, want %v", name, picture, i, got, want.Data[at:at+length])
			}
		}
	}
}

// hidden compares the first prompt of each state after block i, as many rows as the tower has.
func (g ladder) hidden(i int, x torch.Tensor, abnormal int64) {
	name := fmt.Sprint("text.hidden.", i+1)
	firsts := x.IndexSelect(0, g.s.FromInt64([]int64{0, abnormal}, 2))
	want := g.take(name)
	rows := min(firsts.Dim(1), want.Dim(1))
	got, expected := firsts.Narrow(1, 0, rows).Float32s(), want.Narrow(1, 0, rows).Float32s()
	golden.Near(g.t, name, got, expected, 1e-5)
}

// logits compares the logits of each level and returns their mean.
func (g ladder) logits(seen features, text torch.Tensor) torch.Tensor {
	out := g.m.compare(g.s, seen.patches, g.m.unitClass(seen.class), text)
	for n, level := range out.levels {
		g.near(fmt.Sprint("logits.", n), level, 2e-5)
	}
	return out.mean
}

// fusion compares the cluster feature with the golden clusters, then the clusters from the
// golden features, then both.
func (g ladder) fusion(seen features, mean torch.Tensor) {
	chosen, inertia := g.clusters("hsf."), g.want.Take(g.t, "hsf.inertia").Data
	g.near("hsf.feature", clusterFeature(g.s, seen.patches, chosen), 1e-5)
	var patches []torch.Tensor
	for n := range g.about.Levels {
		patches = append(patches, g.take(fmt.Sprint("patch.unit.", n)))
	}
	joined := joinLevels(g.s, patches, chosen)
	for i, want := range chosen {
		points := joined.Narrow(0, int64(i), 1).Float64s()
		got := kmeans.Cluster(points, int(joined.Dim(2)), g.about.Clusters, uint32(g.about.Seed))
		if !slices.Equal(got.Labels, want.labels) {
			g.t.Errorf("picture %d: clusters %v, want %v", i, got.Labels, want.labels)
		}
		if difference := got.Inertia - inertia[i]; !(max(difference, -difference) <= 1e-5*slices.Max(inertia)) {
			g.t.Errorf("picture %d: inertia %v, want %v", i, got.Inertia, inertia[i])
		}
	}
	own := g.m.clusterPatches(g.s, seen.patches, mean)
	sameClusters(g.t, "from its own features", own, chosen)
	g.near("hsf.feature", clusterFeature(g.s, seen.patches, own), 1e-5)
}

// clusters are golden clusters, one for each picture.
func (g ladder) clusters(prefix string) (list []clusters) {
	places, labels := g.want.Take(g.t, prefix+"indices"), g.want.Take(g.t, prefix+"labels")
	count := int(places.Shape[1])
	for start := 0; start < len(places.Data); start += count {
		var c clusters
		for i := start; i < start+count; i++ {
			c.places, c.labels = append(c.places, int64(places.Data[i])), append(c.labels, int(labels.Data[i]))
		}
		list = append(list, c)
	}
	return list
}

// sameClusters compares the chosen patches of each picture and their clusters.
func sameClusters(t testing.TB, what string, got, want []clusters) {
	t.Helper()
	for i := range want {
		if !slices.Equal(got[i].places, want[i].places) {
			t.Errorf("%s, picture %d: the most abnormal patches are %v, want %v", what, i, got[i].places, want[i].places)
		}
		if !slices.Equal(got[i].labels, want[i].labels) {
			t.Errorf("%s, picture %d: clusters %v, want %v", what, i, got[i].labels, want[i].labels)
		}
	}
}

// scores compares maps and scores.
func (g ladder) scores(seen features, text torch.Tensor) {
	class := g.m.unitClass(seen.class)
	out := g.m.compare(g.s, seen.patches, class, text)
	maps := g.m.anomalyMaps(out)
	g.want.Absolute(g.t, "map", maps.Float32s(), 2e-5)
	g.want.Absolute(g.t, "map.smooth", g.m.filter.Apply(maps).Float32s(), 2e-5)
	g.near("score", classProbability(out.image), 1e-5)
	g.near("score.no_hsf", classProbability(imageLogits(class, text)), 1e-5)
}

// endToEnd compares what Score returns for all pictures as one batch.
func (g ladder) endToEnd(pictures torch.Tensor) error {
	classes, classOf := g.about.classes()
	ready, err := g.m.Prepare(context.Background(), g.s, classes)
	if err != nil {
		return err
	}
	scores, err := g.m.Score(g.s, pictures, classOf, ready)
	if err != nil {
		return err
	}
	g.want.Absolute(g.t, "map.smooth", scores.Maps.Float32s(), 5e-5)
	g.want.Absolute(g.t, "score", scores.Image.Float32s(), 5e-5)
	g.want.Absolute(g.t, "score", scores.ClassProbabilities.Float32s(), 5e-5)

	embedded := g.m.clip.Vision.Embed(pictures)
	g.m.encodeImage(g.s, embedded, g.m.visionTokens.dynamic(g.m.frozenClass(g.s, embedded)), g.taps(5e-5))
	return nil
}
