package clip

import "acdclip/cgo/torch"

// Prompts are P tokenised texts on the device, cut after the last end token among them, to
// L tokens. Later tokens have no effect on earlier ones, because the text tower is causal.
type Prompts struct {
	ids  torch.Tensor // [P*L]
	ends Ends
}

// NewPrompts copies token ids, one row of Context ids per prompt, to s's device. The end
// token is the one with the largest id, as in CLIP.
func NewPrompts(s *torch.Scope, rows [][]int32) Prompts {
	ends, length := make([]int, len(rows)), 0
	for i, row := range rows {
		for j, id := range row {
			if id > row[ends[i]] {
				ends[i] = j
			}
		}
		length = max(length, ends[i]+1)
	}
	ids := make([]int64, 0, len(rows)*length)
	for _, row := range rows {
		for _, id := range row[:length] {
			ids = append(ids, int64(id))
		}
	}
	return Prompts{ids: s.FromInt64(ids, int64(len(ids))), ends: NewEnds(s, ends, length)}
}

// Ends selects the end tokens from tokens x; see Ends.Of.
func (p Prompts) Ends(x torch.Tensor) torch.Tensor { return p.ends.Of(x) }

// Ends are the positions of the end tokens of P prompts of L tokens, on the device.
type Ends struct {
	places          torch.Tensor // [P]: indexes into the tokens of all prompts in sequence
	prompts, length int64        // P, L
}

// NewEnds returns the Ends of prompts that do not consist of token ids alone. positions[i]
// is the position of prompt i's end token, from 0; length is L.
func NewEnds(s *torch.Scope, positions []int, length int) Ends {
	places := make([]int64, len(positions))
	for i, position := range positions {
		places[i] = int64(i*length + position)
	}
	return Ends{s.FromInt64(places, int64(len(places))), int64(len(places)), int64(length)}
}

// Of selects the end tokens [n P, D] from tokens x [n P, L, D], which may contain the
// prompts n times: once, or once for each picture of a batch.
func (e Ends) Of(x torch.Tensor) torch.Tensor {
	width := x.Dim(2)
	return x.Reshape(-1, e.prompts*e.length, width).IndexSelect(1, e.places).Reshape(-1, width)
}
