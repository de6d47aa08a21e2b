package training

import (
	"bytes"
	"slices"

	"acdclip/cgo/torch"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/domain"
	"acdclip/pkg/model"
	"acdclip/pkg/scoring"
)

// batch copies pictures and masks to the device as a batch.
func (r *run) batch(s *torch.Scope, pictures []pixels.Picture) model.Batch {
	side := r.method.Input().Size
	count, size := int64(len(pictures)), int64(side)
	// Allocated at full size: growing needs twice the memory, and Go ends the program when it runs out.
	area := side * side
	pixels, masks := make([]uint8, 0, len(pictures)*area*3), make([]uint8, 0, len(pictures)*area)
	var b model.Batch
	var classes scoring.Classes
	for _, picture := range pictures {
		pixels = append(pixels, picture.Pix...)
		masks = append(masks, picture.Mask...)
		label := int64(0)
		if picture.Item.Anomalous {
			label = 1
		}
		b.Labels = append(b.Labels, label)
		if !r.Config.Train.Augment {
			key := picture.Index
			if picture.Mosaic {
				key = model.NoKey
			}
			b.Keys = append(b.Keys, key)
		}
		b.ClassOf = append(b.ClassOf, classes.Place(r.promptOf[picture.Item.Class]))
	}
	b.Classes = domain.Classes{Prompts: classes.Prompts, Domain: r.Set.Domain}
	b.Pictures = model.Normalize(s, s.FromUint8(pixels, count, size, size, 3), r.method.Input())
	if inside := insides(pictures, side); inside != nil {
		b.Pictures = b.Pictures.Mul(s.FromUint8(inside, count, 1, size, size).To(torch.Float32))
	}
	b.Masks = s.FromUint8(masks, count, size, size).To(torch.Float32)
	return b
}

// insides concatenates the pictures' Inside, [B, S, S]; nil if no picture has one.
func insides(pictures []pixels.Picture, size int) []uint8 {
	if !slices.ContainsFunc(pictures, func(p pixels.Picture) bool { return p.Inside != nil }) {
		return nil
	}
	joined := make([]uint8, 0, len(pictures)*size*size)
	for _, picture := range pictures {
		if picture.Inside == nil {
			joined = append(joined, bytes.Repeat([]uint8{1}, size*size)...)
		}
		joined = append(joined, picture.Inside...)
	}
	return joined
}
