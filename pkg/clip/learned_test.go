package clip_test

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
)

// learned are the parameters that methods with learned prompts train, for the golden CLIP.
type learned struct {
	words torch.Tensor   // [2, 3, D]: the first words of two prompts
	deep  []torch.Tensor // [2, D]: replace words before the second and third block
	added torch.Tensor   // [2, C]: appended after the patches
	later torch.Tensor   // [2, C]: replace added before the second block
}

func newLearned(s *torch.Scope, model *clip.Model) learned {
	seed := 0
	drawn := func(shape ...int64) torch.Tensor {
		count := int64(1)
		for _, n := range shape {
			count *= n
		}
		values := make([]float32, count)
		for i := range values {
			seed++
			values[i] = float32(math.Sin(float64(seed*seed))) / 4
		}
		parameter := s.FromFloat32(values, shape...)
		parameter.RequireGrad(true)
		return parameter
	}
	d, c := int64(model.Text.Width), int64(model.Vision.Width)
	return learned{drawn(2, 3, d), []torch.Tensor{drawn(2, d), drawn(2, d)}, drawn(2, c), drawn(2, c)}
}

func (l learned) named() map[string]torch.Tensor {
	return map[string]torch.Tensor{"words": l.words, "deep 1": l.deep[0], "deep 2": l.deep[1], "added": l.added, "later": l.later}
}

// gradients are the gradients of a loss.
func (l learned) gradients(t *testing.T, loss torch.Tensor) map[string][]float32 {
	t.Helper()
	all := map[string][]float32{}
	loss.Backward()
	for name, parameter := range l.named() {
		gradient, found := parameter.Grad()
		if !found {
			t.Fatalf("%s has no gradient", name)
		}
		all[name] = gradient.Float32s()
		parameter.ClearGrad()
	}
	return all
}

// prompts are two texts of different lengths: the start token, three words that are replaced, the rest, and the end token.
func prompts() [][]int32 {
	return [][]int32{{49406, 343, 343, 343, 14115, 49407, 0, 0}, {49406, 343, 343, 343, 13568, 14115, 49407, 0}}
}

func picture(s *torch.Scope, model *clip.Model) torch.Tensor {
	size := model.Arch.ImageSize
	values := make([]float32, 2*3*size*size)
	for i := range values {
		values[i] = float32(math.Sin(float64(i * i)))
	}
	return s.FromFloat32(values, 2, 3, int64(size), int64(size))
}

// loss maps the text embeddings [2, E] and the patches' embeddings by value-value attention
// [2, L, E] to one number that depends on all of them.
func loss(texts, patches torch.Tensor) torch.Tensor {
	return texts.Pow(3).Mean().Add(patches.Normalize(-1).Pow(3).Mean())
}

// throughTowers computes the loss with the towers, like a method.
func throughTowers(s *torch.Scope, model *clip.Model, l learned) torch.Tensor {
	text, vision := model.Text, model.Vision
	p := clip.NewPrompts(s, prompts())
	x := text.Place(clip.ReplaceRows(text.Lookup(p), 1, l.words))
	for i := range text.Depth {
		if i > 0 && i <= len(l.deep) {
			x = clip.ReplaceRows(x, 1, l.deep[i-1])
		}
		x = text.Block(s, i, x)
	}
	y := clip.AppendRows(vision.Embed(picture(s, model)), l.added)
	tokens := y.Dim(1)
	var path torch.Tensor
	for i := range vision.Depth {
		if i == 1 {
			y = clip.ReplaceRows(y, int(tokens)-2, l.later)
		}
		var parts torch.Parts
		y, parts = vision.BlockParts(s, i, y, torch.ValueAttention)
		if path.Defined() {
			path = path.Add(parts.ValueAttention)
		} else {
			path = parts.ValueAttention
		}
	}
	return loss(text.Head(p.Ends(x)), vision.Head(path.Narrow(1, 1, tokens-3)))
}

// written computes the same loss with plain operations on a checkpoint's tensors.
type written struct {
	t          *testing.T
	s          *torch.Scope
	checkpoint *pretrained.Checkpoint
}

func (w written) take(name string) torch.Tensor {
	w.t.Helper()
	place := slices.IndexFunc(w.checkpoint.Tensors, func(t pretrained.Tensor) bool { return t.Name == name })
	if place < 0 {
		w.t.Fatalf("no tensor %s", name)
	}
	found := w.checkpoint.Tensors[place]
	loaded, err := w.s.LoadFloat32(found.ReadFloat32, found.Shape...)
	if err != nil {
		w.t.Fatal(err)
	}
	return loaded
}

func (w written) norm(name string, x torch.Tensor) torch.Tensor {
	return x.LayerNorm(w.take(name+".weight"), w.take(name+".bias"), 1e-5)
}

// block returns the output of a block and the contribution of its value-value attention.
func (w written) block(name string, heads int64, causal bool, x torch.Tensor) (y, added torch.Tensor) {
	batch, length, width := x.Dim(0), x.Dim(1), x.Dim(2)
	linear := func(name, last string, x torch.Tensor) torch.Tensor {
		return x.MatMul(w.take(name+last+"weight").Transpose(0, 1)).Add(w.take(name + last + "bias"))
	}
	qkv := linear(name+".attn", ".in_proj_", w.norm(name+".ln_1", x))
	part := func(i int64) torch.Tensor {
		return qkv.Narrow(2, i*width, width).Reshape(batch, length, heads, width/heads).Permute(0, 2, 1, 3)
	}
	attention := func(q, k, v torch.Tensor) torch.Tensor {
		similar := q.MatMul(k.Permute(0, 1, 3, 2)).MulScalar(1 / math.Sqrt(float64(width/heads)))
		if causal {
			hidden := make([]float32, length*length)
			for i := range hidden {
				if int64(i)%length > int64(i)/length {
					hidden[i] = float32(math.Inf(-1))
				}
			}
			similar = similar.Add(w.s.FromFloat32(hidden, length, length))
		}
		mixed := similar.Softmax(-1).MatMul(v).Permute(0, 2, 1, 3).Reshape(batch, length, width)
		return linear(name+".attn", ".out_proj.", mixed)
	}
	between := x.Add(attention(part(0), part(1), part(2)))
	hidden := linear(name+".mlp", ".c_fc.", w.norm(name+".ln_2", between)).GELU()
	return between.Add(linear(name+".mlp", ".c_proj.", hidden)), attention(part(2), part(2), part(2))
}

// over replaces rows of x from position first on by means of a mask.
func (w written) over(x torch.Tensor, first int64, rows torch.Tensor) torch.Tensor {
	mask := make([]float32, x.Dim(1))
	choice := make([]float32, x.Dim(1)*rows.Dim(-2)) // [T, m]: which row goes to which position
	for i := range rows.Dim(-2) {
		mask[first+i] = 1
		choice[(first+i)*rows.Dim(-2)+i] = 1
	}
	keep := w.s.FromFloat32(mask, x.Dim(1), 1).MulScalar(-1).AddScalar(1)
	return x.Mul(keep).Add(w.s.FromFloat32(choice, x.Dim(1), rows.Dim(-2)).MatMul(rows))
}

func (w written) loss(model *clip.Model, l learned) torch.Tensor {
	rows := prompts()
	const length = 7 // up to the longest end token
	var ids []int64
	for _, row := range rows {
		for _, id := range row[:length] {
			ids = append(ids, int64(id))
		}
	}
	width := int64(model.Text.Width)
	x := w.take("token_embedding.weight").IndexSelect(0, w.s.FromInt64(ids, int64(len(ids)))).Reshape(2, length, width)
	x = w.over(x, 1, l.words).Add(w.take("positional_embedding").Narrow(0, 0, length))
	for i := range model.Text.Depth {
		if i > 0 && i <= len(l.deep) {
			x = w.over(x, 1, l.deep[i-1])
		}
		x, _ = w.block(fmt.Sprint("transformer.resblocks.", i), int64(model.Arch.TextHeads), true, x)
	}
	ends := torch.Cat(0, x.Narrow(0, 0, 1).Narrow(1, 5, 1), x.Narrow(0, 1, 1).Narrow(1, 6, 1)).Reshape(2, width)
	texts := w.norm("ln_final", ends).MatMul(w.take("text_projection"))

	y := model.Vision.Embed(picture(w.s, model))
	tokens := y.Dim(1)
	y = torch.Cat(1, y, w.s.Full(0, y.Dim(0), 2, y.Dim(2)))
	var path torch.Tensor
	for i := range model.Vision.Depth {
		if i < 2 {
			y = w.over(y, tokens, []torch.Tensor{l.added, l.later}[i])
		}
		var added torch.Tensor
		y, added = w.block(fmt.Sprint("visual.transformer.resblocks.", i), int64(model.Arch.VisionHeads), false, y)
		if path.Defined() {
			path = path.Add(added)
		} else {
			path = added
		}
	}
	return loss(texts, w.norm("visual.ln_post", path.Narrow(1, 1, tokens-1)).MatMul(w.take("visual.proj")))
}

// withGradients loads the golden CLIP and runs f with gradients enabled.
func withGradients(t *testing.T, options clip.Options, f func(s *torch.Scope, model *clip.Model, checkpoint *pretrained.Checkpoint)) {
	t.Helper()
	options.Activation = activation.GELU
	checkpoint, err := pretrained.Open(filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf"))
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	rt, err := torch.Open(torch.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	err = rt.Do(t.Context(), func(s *torch.Scope) error {
		model, err := clip.Load(t.Context(), s, checkpoint, options)
		if err == nil {
			f(s, model, checkpoint)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLearnedPrompts compares the gradients of learned words, of tokens that replace others
// between blocks of either tower, and through value-value attention with those of the
// towers written out in plain operations.
func TestLearnedPrompts(t *testing.T) {
	withGradients(t, clip.Options{}, func(s *torch.Scope, model *clip.Model, checkpoint *pretrained.Checkpoint) {
		l := newLearned(s, model)
		got := throughTowers(s, model, l)
		want := written{t, s, checkpoint}.loss(model, l)
		relative(t, "loss", got.Float32s(), want.Float32s(), 1e-5)
		gradients := l.gradients(t, got)
		for name, gradient := range l.gradients(t, want) {
			relative(t, "gradient of "+name, gradients[name], gradient, 1e-4)
		}
	})
}

// TestLearnedPromptsInBF16 compares the gradients with those of float32 matrices. bfloat16
// has 8 significant bits. The observed relative error is 0.0143, or 2^-6.1, of the norm;
// the bound is 2^-5. Activation recomputation changes no bit.
func TestLearnedPromptsInBF16(t *testing.T) {
	gradients := func(options clip.Options) (all map[string][]float32) {
		withGradients(t, options, func(s *torch.Scope, model *clip.Model, _ *pretrained.Checkpoint) {
			l := newLearned(s, model)
			all = l.gradients(t, throughTowers(s, model, l))
		})
		return all
	}
	single := gradients(clip.Options{Precision: "fp32"})
	rounded := gradients(clip.Options{Precision: "bf16"})
	again := gradients(clip.Options{Precision: "bf16", Recompute: true})
	for _, name := range slices.Sorted(maps.Keys(single)) {
		if off := departure(rounded[name], single[name]); !(off > 0 && off < 1.0/32) {
			t.Errorf("%s: the gradient in bf16 departs by %.2g of its length, want a little", name, off)
		}
		if !slices.Equal(again[name], rounded[name]) {
			t.Errorf("%s: the gradient is another when activations are computed again", name)
		}
	}
}

// TestReplaceRows replaces rows with the same rows for all prompts and with different ones, also at either end.
func TestReplaceRows(t *testing.T) {
	with(t, filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf"), clip.Options{}, func(s *torch.Scope, _ *clip.Model) {
		x := s.FromFloat32([]float32{1, 2, 3, 4, 5, 6}, 2, 3, 1)
		alike, own := s.FromFloat32([]float32{-1, -2}, 2, 1), s.FromFloat32([]float32{-1, -2, -3, -4}, 2, 2, 1)
		for name, test := range map[string]struct {
			got  torch.Tensor
			want []float32
		}{
			"first":          {clip.ReplaceRows(x, 0, alike), []float32{-1, -2, 3, -1, -2, 6}},
			"last":           {clip.ReplaceRows(x, 1, alike), []float32{1, -1, -2, 4, -1, -2}},
			"each its own":   {clip.ReplaceRows(x, 1, own), []float32{1, -1, -2, 4, -3, -4}},
			"after, alike":   {clip.AppendRows(x, alike), []float32{1, 2, 3, -1, -2, 4, 5, 6, -1, -2}},
			"after, its own": {clip.AppendRows(x, own), []float32{1, 2, 3, -1, -2, 4, 5, 6, -3, -4}},
		} {
			if !slices.Equal(test.got.Float32s(), test.want) {
				t.Errorf("%s: %v, want %v", name, test.got.Float32s(), test.want)
			}
		}
	})
}

// TestEnds selects the ends of prompts without token ids, once and for a batch of pictures.
func TestEnds(t *testing.T) {
	with(t, filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_hf"), clip.Options{}, func(s *torch.Scope, _ *clip.Model) {
		ends := clip.NewEnds(s, []int{2, 0}, 3)
		x := s.FromFloat32([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 4, 3, 1)
		if got := ends.Of(x); !slices.Equal(got.Shape(), []int64{4, 1}) || !slices.Equal(got.Float32s(), []float32{3, 4, 9, 10}) {
			t.Errorf("of two pictures: %v %v", got.Shape(), got.Float32s())
		}
		if got := ends.Of(x.Narrow(0, 0, 2)).Float32s(); !slices.Equal(got, []float32{3, 4}) {
			t.Errorf("of one: %v", got)
		}
	})
}

// relative compares values. No difference may exceed limit times the largest expected value.
func relative(t *testing.T, what string, got, want []float32, limit float64) {
	t.Helper()
	wanted, largest := make([]float64, len(want)), 0.0
	for i, value := range want {
		wanted[i] = float64(value)
		largest = max(largest, math.Abs(wanted[i]))
	}
	if len(got) != len(want) || largest == 0 {
		t.Errorf("%s: %d values, want %d, the largest %g", what, len(got), len(want), largest)
	} else if worst := golden.Worst(got, wanted); !(worst <= limit*largest) {
		t.Errorf("%s: largest difference %.3g, allowed %.3g", what, worst, limit*largest)
	}
}
