package clip

import "acdclip/cgo/torch"

// Prompts are P tokenized texts on the device, cut to the L tokens up to their
// longest end token: no token after it can change one before it, since the text
// tower is causal.
type Prompts struct {
	ids  torch.Tensor // [P*L]
	ends Ends
}

// NewPrompts brings token ids, one row of Context ids a prompt, to s's device.
// The end token is the largest id, as CLIP defines it.
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

// Ends takes the end tokens out of tokens x, as Ends.Of does.
func (p Prompts) Ends(x torch.Tensor) torch.Tensor { return p.ends.Of(x) }

// Ends are the positions of the end tokens of P prompts of L tokens, on the device.
type Ends struct {
	places          torch.Tensor // [P]: in all tokens, prompt after prompt
	prompts, length int64        // P, L
}

// NewEnds is for prompts that are not made of token ids alone: position i is that of
// prompt i's end token, from 0; length is L.
func NewEnds(s *torch.Scope, positions []int, length int) Ends {
	places := make([]int64, len(positions))
	for i, position := range positions {
		places[i] = int64(i*length + position)
	}
	return Ends{s.FromInt64(places, int64(len(places))), int64(len(places)), int64(length)}
}

// Of takes the end tokens [n P, D] out of tokens x [n P, L, D], in which the prompts
// may stand several times over: n is 1, or a batch of pictures that each has its own.
func (e Ends) Of(x torch.Tensor) torch.Tensor {
	width := x.Dim(2)
	return x.Reshape(-1, e.prompts*e.length, width).IndexSelect(1, e.places).Reshape(-1, width)
}
