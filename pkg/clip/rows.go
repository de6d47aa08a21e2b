package clip

import "acdclip/cgo/torch"

// ReplaceRows gives tokens x [B, T, C], of either tower, with the m rows from
// position first on taken by others: the same for all, [m, C], or each its own,
// [B, m, C]. Gradients flow to both. It puts learned words into a prompt, and deep
// prompts between two blocks.
func ReplaceRows(x torch.Tensor, first int, rows torch.Tensor) torch.Tensor {
	batch, tokens, width := x.Dim(0), x.Dim(1), x.Dim(2)
	count := rows.Dim(-2)
	start := int64(first)
	after := start + count
	return torch.Cat(1, x.Narrow(1, 0, start), rows.Expand(batch, count, width), x.Narrow(1, after, tokens-after))
}

// AppendRows gives tokens x [B, T, C] with m rows after them, [m, C] or [B, m, C] as
// for ReplaceRows. In the vision tower the class token and the patches stay first.
func AppendRows(x torch.Tensor, rows torch.Tensor) torch.Tensor {
	return torch.Cat(1, x, rows.Expand(x.Dim(0), rows.Dim(-2), x.Dim(2)))
}
