package clip_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/golden"
	"acdclip/internal/torchtest"
	"acdclip/pkg/clip"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// TestGoldenTowers compares both towers with both activations, loaded from both formats.
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
	for _, option := range []activation.Activation{activation.GELU, activation.QuickGELU} {
		with(t, f.File(source), clip.Options{Activation: option}, func(s *torch.Scope, model *clip.Model) {
			prefix := strings.ReplaceAll(string(option), "_", "")
			hidden := see(s, model, want.Take(t, "in.image"))
			want.Relative(t, prefix+".visual.hidden.last", hidden.Float32s(), 1e-5)
			embedding := model.Vision.Head(hidden.Narrow(1, 0, 1)).Float32s()
			if option == activation.GELU {
				want.Relative(t, "gelu.visual.cls", embedding, 1e-5)
			} else {
				want.Relative(t, "quickgelu.image_embeds", embedding, 1e-5)
			}
			want.Relative(t, prefix+".text_embeds", read(s, model, want.Take(t, "in.ids")).Float32s(), 1e-5)
		})
	}
	want.AllUsed(t)
}

// TestPositionEmbedding checks that the embedding at CLIP's own image size, given or not,
// equals the checkpoint's, and that at another size the class token's row still does.
func TestPositionEmbedding(t *testing.T) {
	path := filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_openai.pt")
	checkpoint, err := pretrained.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	place := slices.IndexFunc(checkpoint.Tensors, func(t pretrained.Tensor) bool { return t.Name == "visual.positional_embedding" })
	own := checkpoint.Tensors[place]
	want := make([]float32, own.Shape[0]*own.Shape[1])
	if err := own.ReadFloat32(want); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, checkpoint.Arch.ImageSize, 2 * checkpoint.Arch.ImageSize} {
		with(t, path, clip.Options{ImageSize: size}, func(s *torch.Scope, model *clip.Model) {
			got := model.Vision.PositionEmbedding().Float32s()
			same := got
			if size > checkpoint.Arch.ImageSize {
				if side := size / checkpoint.Arch.Patch; len(got) != (1+side*side)*checkpoint.Arch.VisionWidth {
					t.Errorf("at %d px there are %d values", size, len(got))
				}
				same, want = got[:model.Vision.Width], want[:model.Vision.Width]
			}
			if !slices.Equal(same, want) {
				t.Errorf("at %d px the position embedding is another", size)
			}
		})
	}
}

// TestActivation checks that auto selects the checkpoint's activation, here OpenAI's.
func TestActivation(t *testing.T) {
	path := filepath.Join(golden.Root(), "testdata", "golden", "clip_tiny_openai.pt")
	for option, want := range map[activation.Activation]activation.Activation{
		activation.Auto: activation.QuickGELU, activation.GELU: activation.GELU, activation.QuickGELU: activation.QuickGELU,
	} {
		with(t, path, clip.Options{Activation: option}, func(_ *torch.Scope, model *clip.Model) {
			if model.Activation != want {
				t.Errorf("%s became %s, want %s", option, model.Activation, want)
			}
		})
	}
}

// with loads a CLIP and runs f on it inside Do and without a graph.
func with(t *testing.T, path string, options clip.Options, f func(s *torch.Scope, model *clip.Model)) {
	t.Helper()
	checkpoint, err := pretrained.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	withCheckpoint(t, checkpoint, options, f)
}

func withCheckpoint(t *testing.T, checkpoint *pretrained.Checkpoint, options clip.Options, f func(s *torch.Scope, model *clip.Model)) {
	t.Helper()
	rt, err := torch.Open(torch.Options{Threads: 1}) // idle threads spin and would slow down tests that run in parallel
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
		x = model.Vision.Block(s, i, x)
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
		x = model.Text.Block(s, i, x)
	}
	return model.Text.Head(p.Ends(x))
}
