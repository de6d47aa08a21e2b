package acdclip

import (
	"acdclip/pkg/model/prompt"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/config"
	"acdclip/pkg/domain"
	"acdclip/pkg/model/acdclip/options"
)

// TestGoldenPaper compares the paper's preset and its ablations.
func TestGoldenPaper(t *testing.T) {
	golden.MustHold(t, "paper_n*.safetensors")
	for _, name := range []string{
		"paper_n2", "paper_n3", "paper_n4", "paper_n6", "paper_n2_lora_static", "paper_n2_conv_lora_static", "paper_n2_lora_dfg",
	} {
		for _, clip := range clips {
			t.Run(name+"/"+clip, func(t *testing.T) {
				golden.Run(t, []string{name + ".safetensors", clip}, func(t *testing.T, f golden.Folder) {
					comparePaper(t, golden.Open(t, f.File(name+".safetensors")), f.File(clip))
				})
			})
		}
	}
}

func comparePaper(t testing.TB, want *golden.Tensors, clip string) {
	err := with(t, paperRecipe(t, want, clip), func(s *torch.Scope, m *Model) error {
		picture := want.Take(t, "in.image")
		pictures := s.FromFloat32(picture.Float32(), picture.Shape...)
		text := m.encodeRest(s, m.encodePrefix(s, [states][][]int32{normal: ids(t, want, "in.ids.normal"), abnormal: ids(t, want, "in.ids.abnormal")}))
		want.Relative(t, "out.text_features", text.Float32s(), 1e-5)
		m.encodeImage(s, pictures, func(i int, _, tokens torch.Tensor) {
			want.Relative(t, fmt.Sprintf("out.visual.%d", i), tokens.Float32s(), 1e-5)
		})
		one := text.Reshape(append([]int64{1}, text.Shape()...)...)
		scores, err := m.Score(s, pictures, make([]int, picture.Shape[0]), prompt.Features{Text: one, Domain: domain.Industrial})
		if err != nil {
			return err
		}
		want.Absolute(t, "out.map", scores.Maps.Float32s(), 5e-6)
		want.Relative(t, "out.score", scores.Image.Float32s(), 1e-5)
		return comparePaperLoss(t, s, m, want, pictures, one)
	})
	if err != nil {
		t.Fatal(err)
	}
	want.AllUsed(t)
}

func comparePaperLoss(t testing.TB, s *torch.Scope, m *Model, want *golden.Tensors, pictures, text torch.Tensor) error {
	batch := goldenBatch(t, s, want, pictures, "")
	own, err := prompt.Features{Text: text}.Choose(s, batch.ClassOf)
	if err != nil {
		return err
	}
	out := m.forward(s, pictures, own, noSmoothing)
	want.Relative(t, "out.cls_logits", out.logits.Float32s(), 1e-5)
	var maps, weights []float32
	for _, level := range out.levels {
		maps = append(maps, channel(level.logits.Softmax(1), abnormal).Float32s()...)
		if level.gate.Defined() {
			weights = append(weights, level.gate.Softmax(1).Float32s()...)
		}
	}
	want.Absolute(t, "out.maps", maps, 5e-6)
	want.Relative(t, "out.gate_weights", weights, 1e-5)

	loss := m.combineLosses(out.maps, out.logits, batch.Masks, s.FromInt64(batch.Labels, int64(len(batch.Labels))))
	named := map[string]float32{}
	for _, part := range loss.Parts {
		named[part.Name] = float32(part.Value.Item())
	}
	want.Relative(t, "losses", []float32{named["focal"], named["dice"], named["classification"], float32(loss.Total.Item())}, 1e-5)
	loss.Total.Backward()
	compareGradients(t, m, want, func(name string) string { return name })
	return nil
}

func paperRecipe(t testing.TB, want *golden.Tensors, clip string) recipe {
	t.Helper()
	o, loss, _ := options.Preset(options.Paper)
	o.Groups = number(t, want, "n_groups")
	o.ImageSize = int(want.Take(t, "in.image").Shape[3])
	o.Adapter.Kind = options.AdapterKind(want.Metadata["adapter"])
	o.Fusion.Kind = options.FusionKind(want.Metadata["fusion"])
	o.Adapter.Hidden = int(want.Take(t, "param.visual.0.proj.0.weight").Shape[0])
	var err error
	if o.Fusion.Temperature, err = strconv.ParseFloat(want.Metadata["tau"], 64); err != nil {
		t.Fatal(err)
	}
	lambdas := strings.Trim(want.Metadata["lambda_focal_dice_cls"], "()")
	if _, err := fmt.Sscanf(strings.ReplaceAll(lambdas, ",", " "), "%g %g %g", &loss.Focal, &loss.Dice, &loss.Classification); err != nil {
		t.Fatal(err)
	}
	if err := config.Validate("model", &o); err != nil {
		t.Fatal(err)
	}
	return recipe{
		clip: clip, options: o, loss: loss, train: true,
		values: values{read: func(name string, values []float32) error {
			from := want.Take(t, "param."+name)
			if len(from.Data) != len(values) {
				return fmt.Errorf("shape %v", from.Shape)
			}
			copy(values, from.Float32())
			return nil
		}},
	}
}

// ids reads token ids, one row per prompt.
func ids(t testing.TB, want *golden.Tensors, name string) [][]int32 {
	t.Helper()
	values := want.Take(t, name)
	width := int(values.Shape[1])
	rows := make([][]int32, values.Shape[0])
	for i := range rows {
		for _, id := range values.Data[i*width : (i+1)*width] {
			rows[i] = append(rows[i], int32(id))
		}
	}
	return rows
}
