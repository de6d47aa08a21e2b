package anomalyclip

import (
	"fmt"
	"slices"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/float16"
	"acdclip/pkg/model"
	"acdclip/pkg/model/anomalyclip/options"
	"acdclip/pkg/model/prompt"
)

// copied is a copy of CLIP's token embeddings in the authors' files.
type copied struct {
	checkpoint.Spec     // [1, 1, rows, D]
	state, first    int // its first row is this token of the state's prompt
}

// copies lists the copies that values (nil: none) have. Our own files have none.
func copies(words, context, width int, values model.Values) []copied {
	if values == nil {
		return nil
	}
	var found []copied
	add := func(name string, state, first, rows int) {
		if values.Has(name) {
			found = append(found, copied{checkpoint.Spec{Name: name, Shape: []int64{1, 1, int64(rows), int64(width)}}, state, first})
		}
	}
	add(options.PrefixNormal, prompt.Normal, 0, 1)
	add(options.PrefixAbnormal, prompt.Abnormal, 0, 1)
	add(options.SuffixNormal, prompt.Normal, 1+words, context-1-words)
	add(options.SuffixAbnormal, prompt.Abnormal, 1+words, context-1-words)
	return found
}

// compare returns an error that wraps model.ErrOtherCLIP if values (nil: none) have copies
// of token embeddings that are not the CLIP's. context is the CLIP's number of tokens.
func (p prompts) compare(values model.Values, context int) error {
	length, width := int(p.embeddings.Dim(1)), int(p.embeddings.Dim(2))
	found := copies(p.words, context, width, values)
	if found == nil {
		return nil // without waiting for the device
	}
	all := p.embeddings.Float32s()
	padding := all[(length-1)*width : length*width] // the shorter prompt, the normal one, ends with padding
	for _, c := range found {
		theirs := make([]float32, int(c.Shape[2])*width)
		if err := values.Read(c.Name, theirs); err != nil {
			return err
		}
		rows := slices.Clone(all[(c.state*length+c.first)*width : (c.state+1)*length*width])
		for len(rows) < len(theirs) {
			rows = append(rows, padding...)
		}
		if !sameEmbeddings(theirs, rows[:len(theirs)]) {
			return fmt.Errorf("%w: the token embeddings that it has copied from its CLIP (%s) are not this CLIP's", model.ErrOtherCLIP, c.Name)
		}
	}
	return nil
}

// sameEmbeddings reports whether a and b are equal, or equal in float16 if one of them
// consists of float16 values.
func sameEmbeddings(a, b []float32) bool {
	same, aIsHalf, bIsHalf := true, true, true
	for i := range a {
		same = same && a[i] == b[i]
		aIsHalf = aIsHalf && a[i] == half(b[i])
		bIsHalf = bIsHalf && b[i] == half(a[i])
	}
	return same || aIsHalf || bIsHalf
}

func half(x float32) float32 { return float16.ToFloat32(float16.FromFloat32(x)) }
