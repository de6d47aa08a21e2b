package clip_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
)

// These tests use the towers as methods other than ACD-CLIP do and compare intermediate
// results with those of the authors' code. The methods' own layers are not needed.

// onGolden loads the golden CLIP for pictures of size pixels and runs f on it.
func onGolden(t *testing.T, f golden.Folder, options clip.Options, run func(s *torch.Scope, model *clip.Model)) {
	t.Helper()
	with(t, f.File("clip_tiny_openai.pt"), options, run)
}

// golds runs test on each folder of golden data that has the files in its folder methods.
func golds(t *testing.T, files []string, test func(t *testing.T, f golden.Folder)) {
	needs := []string{"clip_tiny_openai.pt"}
	for _, file := range files {
		needs = append(needs, "methods/"+file)
	}
	golden.Run(t, needs, test)
}

// half returns x rounded to float16, as some authors' code rounds learned tokens.
func half(x torch.Tensor) torch.Tensor { return x.To(torch.Float16).To(torch.Float32) }

func tensor(s *torch.Scope, v golden.Values) torch.Tensor {
	return s.FromFloat32(v.Float32(), v.Shape...)
}

// described decodes the metadata of a golden file.
func described(t *testing.T, file *golden.Tensors) (about struct {
	Size       int   `json:"image_size"`
	Levels     []int `json:"features_list"`
	VVBlocks   int   `json:"dpam_blocks"`
	Words      int64 `json:"n_ctx"`
	Depth      int   `json:"depth"`
	Outputs    []int `json:"output_layers"`
	TokenDepth int   `json:"prompting_depth"`
	Tokens     int64 `json:"prompting_length"`
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(file.Metadata["golden"]), &about); err != nil {
		t.Fatal(err)
	}
	return about
}

// TestAnomalyCLIP checks learned words in the prompts, deep tokens that replace them from
// the second block on, and a second path with value-value attention in the vision tower.
func TestAnomalyCLIP(t *testing.T) {
	for _, name := range []string{"anomalyclip_1", "anomalyclip_2"} {
		t.Run(name, func(t *testing.T) {
			golds(t, []string{name + ".safetensors", name + ".pth"}, func(t *testing.T, f golden.Folder) {
				want, learned := golden.Open(t, f.File("methods/"+name+".safetensors")), golden.Open(t, f.File("methods/"+name+".pth"))
				options := clip.Options{ImageSize: described(t, want).Size, Activation: activation.QuickGELU, Positions: "bilinear"}
				onGolden(t, f, options, func(s *torch.Scope, model *clip.Model) {
					want.Relative(t, "position", model.Vision.PositionEmbedding().Float32s(), 1e-6)
					anomalyText(t, s, model.Text, want, learned)
					anomalyVision(t, s, model.Vision, want)
				})
			})
		})
	}
}

func anomalyText(t *testing.T, s *torch.Scope, text *clip.Text, want, learned *golden.Tensors) {
	about, width := described(t, want), int64(text.Width)
	take := func(name string) torch.Tensor { return tensor(s, learned.Take(t, "prompt_learner."+name)) }
	var rows [][]int32
	for _, state := range []string{"pos", "neg"} {
		var row []int32
		for _, id := range learned.Take(t, "prompt_learner.tokenized_prompts_"+state).Data {
			row = append(row, int32(id))
		}
		rows = append(rows, row)
	}
	p := clip.NewPrompts(s, rows)
	x := text.Lookup(p)
	learned.Relative(t, "prompt_learner.token_prefix_pos", x.Narrow(0, 0, 1).Narrow(1, 0, 1).Float32s(), 0)
	words := torch.Cat(0, take("ctx_pos"), take("ctx_neg")).Reshape(2, about.Words, width)
	x = text.Place(clip.ReplaceRows(x, 1, words))
	for i := range text.Depth {
		if i > 0 && i < about.Depth {
			deep := take(fmt.Sprint("compound_prompts_text.", i-1))
			x = clip.ReplaceRows(x, 1, half(deep.Expand(2, deep.Dim(0), width)))
		}
		x = text.Block(s, i, x)
		want.Relative(t, fmt.Sprint("text.hidden.", i+1), x.Float32s(), 1e-5)
	}
	want.Relative(t, "text.raw", text.Head(p.Ends(x)).Float32s(), 1e-5)
}

func anomalyVision(t *testing.T, s *torch.Scope, vision *clip.Vision, want *golden.Tensors) {
	about := described(t, want)
	first := vision.Depth - about.VVBlocks // the first block, from 0, with the second path
	x := vision.Embed(tensor(s, want.Take(t, "in.image")))
	var path torch.Tensor
	level := 0
	for i := range vision.Depth {
		switch {
		case i < first:
			x = vision.Block(s, i, x)
			path = x
		default:
			if i == 0 {
				path = x
			}
			var parts torch.Parts
			x, parts = vision.BlockParts(s, i, x, torch.ValueAttention)
			path = path.Add(parts.ValueAttention)
		}
		if i == first {
			want.Relative(t, "visual.vv.first", path.Float32s(), 1e-5)
		}
		if level < len(about.Levels) && i+1 == about.Levels[level] {
			want.Relative(t, fmt.Sprint("visual.tap.", level), path.Float32s(), 1e-5)
			want.Relative(t, fmt.Sprint("patch.raw.", level), vision.Head(path).Float32s(), 1e-5)
			level++
		}
	}
	if level == 0 {
		t.Error("no level was compared")
	}
	want.Relative(t, "visual.plain.last", x.Float32s(), 1e-5)
	want.Relative(t, "image.raw", vision.Project(x.Narrow(1, 0, 1)).Float32s(), 1e-5)
}

// TestAdaCLIP checks learned tokens that depend on the picture, appended after the patches
// and replacing words of the prompts.
func TestAdaCLIP(t *testing.T) {
	for _, name := range []string{"adaclip_1", "adaclip_2"} {
		t.Run(name, func(t *testing.T) {
			golds(t, []string{name + ".safetensors", name + ".pth"}, func(t *testing.T, f golden.Folder) {
				want, learned := golden.Open(t, f.File("methods/"+name+".safetensors")), golden.Open(t, f.File("methods/"+name+".pth"))
				options := clip.Options{ImageSize: described(t, want).Size, Activation: activation.GELU, Positions: "bicubic"}
				onGolden(t, f, options, func(s *torch.Scope, model *clip.Model) {
					want.Relative(t, "position", model.Vision.PositionEmbedding().Float32s(), 1e-6)
					adaVision(t, s, model, want, learned)
					adaText(t, s, model.Text, want, learned)
				})
			})
		})
	}
}

func adaVision(t *testing.T, s *torch.Scope, model *clip.Model, want, learned *golden.Tensors) {
	about, vision := described(t, want), model.Vision
	picture := want.Take(t, "in.image")
	plain := see(s, model, picture)
	want.Relative(t, "frozen.class", vision.Head(plain.Narrow(1, 0, 1)).Float32s(), 1e-5)
	x := vision.Embed(tensor(s, picture))
	want.Relative(t, "visual.embedded", x.Narrow(0, 0, 1).Float32s(), 1e-5)
	dynamic, tokens := tensor(s, want.Take(t, "dynamic.visual")), x.Dim(1)
	level := 0
	for i := range vision.Depth {
		if i < about.TokenDepth {
			rows := half(dynamic.Add(tensor(s, learned.Take(t, fmt.Sprint("clip_model.visual_prompter.static_prompts.", i)))))
			if i == 0 {
				x = clip.AppendRows(x, rows)
			} else {
				x = clip.ReplaceRows(x, int(tokens), rows)
			}
		}
		x = vision.Block(s, i, x)
		if level < len(about.Outputs) && i+1 == about.Outputs[level] {
			want.Relative(t, fmt.Sprint("visual.tap.", level), x.Narrow(1, 0, tokens).Float32s(), 1e-5)
			level++
		}
	}
	if level == 0 {
		t.Error("no level was compared")
	}
	want.Relative(t, "visual.class", vision.Head(x.Narrow(1, 0, 1)).Float32s(), 1e-5)
}

func adaText(t *testing.T, s *torch.Scope, text *clip.Text, want, learned *golden.Tensors) {
	about := described(t, want)
	dynamic := tensor(s, want.Take(t, "dynamic.text"))
	normal, abnormal := want.Take(t, "text.ids.normal"), want.Take(t, "text.ids.abnormal")
	raw := map[string][]float32{}
	for picture := range normal.Shape[0] {
		var rows [][]int32
		for _, ids := range []golden.Values{normal, abnormal} {
			size, length := ids.Shape[1]*ids.Shape[2], int(ids.Shape[2])
			for at := picture * size; at < (picture+1)*size; at += int64(length) {
				row := make([]int32, length)
				for i := range row {
					row[i] = int32(ids.Data[int(at)+i])
				}
				rows = append(rows, row)
			}
		}
		p := clip.NewPrompts(s, rows)
		x := text.Embed(p)
		for i := range text.Depth {
			if i > 0 && i < about.TokenDepth {
				own := dynamic.Narrow(0, picture, 1).Add(tensor(s, learned.Take(t, fmt.Sprint("clip_model.text_prompter.static_prompts.", i))))
				x = clip.ReplaceRows(x, 1, half(own.Expand(x.Dim(0), own.Dim(1), own.Dim(2))))
			}
			x = text.Block(s, i, x)
			if picture == 0 {
				firsts := x.IndexSelect(0, s.FromInt64([]int64{0, normal.Shape[1]}, 2))
				hidden := tensor(s, want.Take(t, fmt.Sprint("text.hidden.", i+1))).Narrow(1, 0, x.Dim(1)) // padding is cut
				relative(t, fmt.Sprint("text.hidden.", i+1), firsts.Float32s(), hidden.Float32s(), 1e-5)
			}
		}
		e := text.Head(p.Ends(x))
		raw["normal"] = append(raw["normal"], e.Narrow(0, 0, normal.Shape[1]).Float32s()...)
		raw["abnormal"] = append(raw["abnormal"], e.Narrow(0, normal.Shape[1], abnormal.Shape[1]).Float32s()...)
	}
	for state, values := range raw {
		want.Relative(t, "text.raw."+state, values, 1e-5)
	}
}

// TestCLIPAD checks the tokens between attention and MLP, and the sum of a stage's
// value-value attentions.
func TestCLIPAD(t *testing.T) {
	golds(t, []string{"clip_ad_1.safetensors"}, func(t *testing.T, f golden.Folder) {
		want := golden.Open(t, f.File("methods/clip_ad_1.safetensors"))
		onGolden(t, f, clip.Options{ImageSize: 98, Activation: activation.GELU}, func(s *torch.Scope, model *clip.Model) {
			vision := model.Vision
			want.Relative(t, "pos_embed.resized", vision.PositionEmbedding().Float32s(), 1e-6)
			x := vision.Embed(normalised(s, want.Take(t, "in.resized")))
			stage := vision.Depth / 4
			var path torch.Tensor
			compare := func(tap int, original torch.Tensor) {
				want.Relative(t, fmt.Sprintf("tap.%d.original", tap), original.Float32s(), 1e-5)
				surgery := torch.Cat(1, original.Narrow(1, 0, 1), path.Narrow(1, 1, path.Dim(1)-1))
				want.Relative(t, fmt.Sprintf("tap.%d.surgery", tap), vision.Head(surgery).Float32s(), 1e-5)
			}
			for i := range vision.Depth {
				next, parts := vision.BlockParts(s, i, x, torch.Attended|torch.ValueAttention)
				if i > 0 && i%stage == 0 {
					compare(i, parts.Attended)
				}
				if i%stage == 0 {
					path = parts.ValueAttention
				} else {
					path = path.Add(parts.ValueAttention)
				}
				x = next
			}
			compare(vision.Depth, x)
		})
	})
}

// TestWinCLIP runs windows of patches separately through the vision tower.
func TestWinCLIP(t *testing.T) {
	golds(t, []string{"winclip_1.safetensors"}, func(t *testing.T, f golden.Folder) {
		want := golden.Open(t, f.File("methods/winclip_1.safetensors"))
		onGolden(t, f, clip.Options{ImageSize: 98, Activation: activation.GELU}, func(s *torch.Scope, model *clip.Model) {
			vision := model.Vision
			want.Relative(t, "pos_embed.resized", vision.PositionEmbedding().Float32s(), 1e-6)
			x := vision.Embed(normalised(s, want.Take(t, "in.resized")))
			batch, width := x.Dim(0), x.Dim(2)
			class := func(x torch.Tensor) torch.Tensor {
				for i := range vision.Depth {
					x = vision.Block(s, i, x)
				}
				return vision.Head(x.Narrow(1, 0, 1))
			}
			want.Relative(t, "image.features", class(x).Float32s(), 1e-5)
			for _, side := range []int64{2, 3} {
				var tokens []int64
				windows := want.Take(t, fmt.Sprint("mask.", side))
				for i, patch := range windows.Data {
					if i%int(side*side) == 0 {
						tokens = append(tokens, 0)
					}
					tokens = append(tokens, 1+int64(patch))
				}
				chosen := x.IndexSelect(1, s.FromInt64(tokens, int64(len(tokens))))
				embeddings := class(chosen.Reshape(batch*windows.Shape[0], 1+side*side, width))
				want.Relative(t, fmt.Sprintf("window.%d.features", side), embeddings.Float32s(), 1e-5)
			}
		})
	})
}

// normalised returns pictures [B, S, S, 3], from 0 to 255, normalised for CLIP.
func normalised(s *torch.Scope, pictures golden.Values) torch.Tensor {
	mean := s.FromFloat32([]float32{0.48145466, 0.4578275, 0.40821073}, 3)
	deviation := s.FromFloat32([]float32{0.26862954, 0.26130258, 0.27577711}, 3)
	return tensor(s, pictures).MulScalar(1.0/255).Sub(mean).Div(deviation).Permute(0, 3, 1, 2)
}
