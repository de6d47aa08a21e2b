package clip

import (
	"slices"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/builtin"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/clip/tokenizer"
)

// TestCutVocabulary: every token has the embedding of its row, whether it is kept or shares one.
func TestCutVocabulary(t *testing.T) {
	checkpoint, err := pretrained.Open(builtin.Tiny)
	if err != nil {
		t.Fatal(err)
	}
	defer checkpoint.Close()
	width, hashed := checkpoint.Arch.TextWidth, checkpoint.Arch.HashedTokens
	var rows []float32
	for _, tensor := range checkpoint.Tensors {
		if tensor.Name == "token_embedding.weight" {
			rows = make([]float32, tensor.NumElements())
			if err := tensor.ReadFloat32(rows); err != nil {
				t.Fatal(err)
			}
		}
	}
	shared := int32(0) // an id without a row of its own
	for slices.Contains(checkpoint.KeptTokens, shared) {
		shared++
	}
	last := len(checkpoint.KeptTokens) - 1
	ids := []int32{tokenizer.StartOfText, shared, checkpoint.KeptTokens[2], tokenizer.EndOfText, 0}
	want := []int{hashed + last - 1, int(shared) % hashed, hashed + 2, hashed + last}
	onRuntime(t, func(s *torch.Scope) error {
		model, err := Load(t.Context(), s, checkpoint, Options{})
		if err != nil {
			return err
		}
		got := model.Text.Lookup(NewPrompts(s, [][]int32{ids})).Float32s()
		if len(got) != len(want)*width {
			t.Fatalf("%d values of tokens up to the end token", len(got))
		}
		for i, row := range want {
			if !slices.Equal(got[i*width:(i+1)*width], rows[row*width:(row+1)*width]) {
				t.Errorf("token %d (id %d) is not row %d", i, ids[i], row)
			}
		}
		return nil
	})
}
