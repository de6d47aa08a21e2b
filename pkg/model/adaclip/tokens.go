package adaclip

import (
	"acdclip/cgo/torch"
	"acdclip/pkg/model/adaclip/options"
)

// tokens are the learned tokens of one tower, m for each of its first blocks.
type tokens struct {
	depth     int            // J: number of blocks with learned tokens; 0 for a plain tower
	static    []torch.Tensor // one per block, [m, W]; none without static tokens
	heads     []linear       // one per token, from an embedding to W; none without dynamic tokens
	precision options.Precision
}

// dynamic returns the dynamic tokens [B, m, W] of pictures with the class embeddings
// [B, E]; undefined without dynamic tokens. They are the same for all blocks.
func (t tokens) dynamic(class torch.Tensor) torch.Tensor {
	if len(t.heads) == 0 {
		return torch.Tensor{}
	}
	rows := make([]torch.Tensor, len(t.heads))
	for k, head := range t.heads {
		rows[k] = head.apply(class)
	}
	return torch.Stack(1, rows...)
}

// dynamicTokens are the dynamic tokens of B pictures, undefined for a tower without.
type dynamicTokens struct {
	vision torch.Tensor // U [B, m, C]
	text   torch.Tensor // R [B, m, D]
}

// dynamicTokens returns the dynamic tokens of pictures with the class embeddings e [B, E].
func (m *Model) dynamicTokens(frozen torch.Tensor) dynamicTokens {
	return dynamicTokens{m.visionTokens.dynamic(frozen), m.textTokens.dynamic(frozen)}
}

// at returns the tokens that enter block i, [count*copies, m, W], copies for each of count
// pictures. dynamic is [count, m, W], or undefined without dynamic tokens.
//
// With half precision each copy is rounded by itself, so that its gradient is rounded
// before the sum over copies, as in the released code.
func (t tokens) at(i int, dynamic torch.Tensor, count, copies int64) torch.Tensor {
	sum := dynamic
	switch {
	case len(t.static) == 0:
	case dynamic.Defined():
		sum = dynamic.Add(t.static[i])
	default:
		sum = t.static[i]
	}
	length, width := sum.Dim(-2), sum.Dim(-1)
	rows := sum.Reshape(-1, 1, length, width).Expand(count, copies, length, width).Reshape(count*copies, length, width)
	if t.precision == options.Half {
		return rows.To(torch.Float16).To(torch.Float32)
	}
	return rows
}
