package clip

import "acdclip/cgo/torch"

// ReplaceRows returns tokens x [B, T, C], of either tower, with m rows from position first
// on replaced by rows: [m, C] for the same rows in every element of the batch, or
// [B, m, C]. Gradients flow to both. Use it to put learned words into a prompt and deep
// prompts between two blocks.
func ReplaceRows(x torch.Tensor, first int, rows torch.Tensor) torch.Tensor {
	batch, tokens, width := x.Dim(0), x.Dim(1), x.Dim(2)
	count := rows.Dim(-2)
	start := int64(first)
	after := start + count
	return torch.Cat(1, x.Narrow(1, 0, start), rows.Expand(batch, count, width), x.Narrow(1, after, tokens-after))
}

// AppendRows returns tokens x [B, T, C] followed by m rows, [m, C] or [B, m, C] as in
// ReplaceRows. In the vision tower the class token and the patches stay first.
func AppendRows(x torch.Tensor, rows torch.Tensor) torch.Tensor {
	return torch.Cat(1, x, rows.Expand(x.Dim(0), rows.Dim(-2), x.Dim(2)))
}
