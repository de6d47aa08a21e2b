package clip_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if left := torch.LiveHandles(); left != 0 {
		fmt.Fprintf(os.Stderr, "%d tensors were never freed\n", left)
		code = 1
	}
	os.Exit(code)
}

// TestGoldenTowers compares both towers, in both activations, from both formats.
func TestGoldenTowers(t *testing.T) {
	sources := []string{"clip_tiny_openai.pt", "clip_tiny_hf"}
	golden.Run(t, append(sources, "clip_tiny.safetensors"), func(t *testing.T, f golden.Folder) {
		for _, source := range sources {
			t.Run(source, func(t *testing.T) { compareTowers(t, f, source) })
		}
	})
}

func compareTowers(t *testing.T, f golden.Folder, source string) {
	want := golden.Open(t, f.File("clip_tiny.safetensors"))
	for _, activation := range []config.Activation{config.GELU, config.QuickGELU} {
		with(t, f.File(source), clip.Options{Activation: activation}, func(s *torch.Scope, model *clip.Model) {
			prefix := strings.ReplaceAll(string(activation), "_", "")
			hidden := see(s, model, want.Take(t, "in.image"))
			want.Relative(t, prefix+".visual.hidden.last", hidden.Float32s(), 1e-5)
			embedding := model.Vision.Head(hidden.Narrow(1, 0, 1)).Float32s()
			if activation == config.GELU {
				want.Relative(t, "gelu.visual.cls", embedding, 1e-5)
			} else {
				want.Relative(t, "quickgelu.image_embeds", embedding, 1e-5)
			}
			want.Relative(t, prefix+".text_embeds", read(s, model, want.Take(t, "in.ids")).Float32s(), 1e-5)
		})
	}
	want.AllUsed(t)
}

// with loads a CLIP and runs f on it inside Do and without a graph.
func with(t *testing.T, path string, options clip.Options, f func(s *torch.Scope, model *clip.Model)) {
	t.Helper()
	checkpoint, err := pretrained.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	rt, err := torch.Open(torch.Options{Threads: 1}) // idle threads spin: several would slow each other down beside other tests
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	err = rt.Do(context.Background(), func(s *torch.Scope) error {
		model, err := clip.Load(context.Background(), s, checkpoint, options)
		if err != nil {
			return err
		}
		return s.NoGrad(func() error { f(s, model); return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
}

func see(s *torch.Scope, model *clip.Model, picture golden.Values) torch.Tensor {
	x := model.Vision.Embed(s.FromFloat32(picture.Float32(), picture.Shape...))
	for i := range model.Vision.Depth {
		x = model.Vision.Block(i, x)
	}
	return x
}

func read(s *torch.Scope, model *clip.Model, ids golden.Values) torch.Tensor {
	rows := make([][]int32, ids.Shape[0])
	for i := range rows {
		for _, id := range ids.Data[i*int(ids.Shape[1]) : (i+1)*int(ids.Shape[1])] {
			rows[i] = append(rows[i], int32(id))
		}
	}
	p := clip.NewPrompts(s, rows)
	x := model.Text.Embed(p)
	for i := range model.Text.Depth {
		x = model.Text.Block(i, x)
	}
	return model.Text.Head(p.Ends(x))
}
