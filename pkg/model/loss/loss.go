// Package loss contains the losses that methods share. Targets y are 1 where anomalous,
// else 0. Every loss is one value.
package loss

import "acdclip/cgo/torch"

// tiny is the smallest argument of logarithms, which keeps them finite.
const tiny = 1e-5

// Focal is the mean of -(1-pt)^2 log pt, where pt is the probability of the true state:
// abnormal where y is 1, else 1 - abnormal. abnormal and y have the same shape.
func Focal(abnormal, y torch.Tensor) torch.Tensor {
	pt := abnormal.Mul(y).Add(Complement(abnormal).Mul(Complement(y)))
	return focal(pt, pt.Clamp(tiny, 1))
}

// FocalOneHot is Focal as the released code of AA-CLIP, ACD-CLIP, APRIL-GAN and AnomalyCLIP
// computes it: the one-hot target is clamped to [1e-5, 1-1e-5], and 1e-5 is added to pt.
// normal, abnormal and y have the same shape.
func FocalOneHot(normal, abnormal, y torch.Tensor) torch.Tensor {
	pt := normal.Mul(Complement(y).Clamp(tiny, 1-tiny)).Add(abnormal.Mul(y.Clamp(tiny, 1-tiny))).AddScalar(tiny)
	return focal(pt, pt)
}

func focal(pt, argument torch.Tensor) torch.Tensor {
	return Complement(pt).Pow(2).Mul(argument.Log()).Mean().MulScalar(-1)
}

// Dice is 1 - mean over pictures of (2 sum(p y) + 1) / (sum p + sum y + 1), for
// probabilities p and targets y, both [B, S, S].
func Dice(p, y torch.Tensor) torch.Tensor { return dice(p, y, 1, 2) }

// DiceRows is Dice with the rows of all pictures in place of pictures, which the released
// code of AdaCLIP computes for its batches of one picture.
func DiceRows(p, y torch.Tensor) torch.Tensor { return dice(p, y, 2) }

func dice(p, y torch.Tensor, dims ...int64) torch.Tensor {
	overlap := p.Mul(y).Sum(dims...).MulScalar(2).AddScalar(1)
	size := p.Sum(dims...).Add(y.Sum(dims...)).AddScalar(1)
	return Complement(overlap.Div(size).Mean())
}

// Complement is 1 - x.
func Complement(x torch.Tensor) torch.Tensor { return x.MulScalar(-1).AddScalar(1) }
