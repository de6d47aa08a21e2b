package engine

import (
	"bytes"
	"slices"

	"acdclip/cgo/torch"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/model"
)

// batch brings pictures and masks to the device.
func (r *run) batch(s *torch.Scope, pictures []pixels.Picture) model.Batch {
	count, size := int64(len(pictures)), int64(r.Config.Model.ImageSize)
	// Whole at once: growing would take twice the memory, and the program ends where Go finds none.
	area := r.Config.Model.ImageSize * r.Config.Model.ImageSize
	pixels, masks := make([]uint8, 0, len(pictures)*area*3), make([]uint8, 0, len(pictures)*area)
	var b model.Batch
	var classes classList
	for _, picture := range pictures {
		pixels = append(pixels, picture.Pix...)
		masks = append(masks, picture.Mask...)
		label := int64(0)
		if picture.Item.Anomalous {
			label = 1
		}
		b.Labels = append(b.Labels, label)
		b.ClassOf = append(b.ClassOf, classes.place(r.classOf[picture.Item.Class]))
	}
	b.Classes = classes.list
	b.Pictures = model.Normalize(s, s.FromUint8(pixels, count, size, size, 3), r.method.Input())
	if inside := insides(pictures, r.Config.Model.ImageSize); inside != nil {
		b.Pictures = b.Pictures.Mul(s.FromUint8(inside, count, 1, size, size).To(torch.Float32))
	}
	b.Masks = s.FromUint8(masks, count, size, size).To(torch.Float32)
	return b
}

// insides joins the pictures' Inside, [B, S, S]; nil where no picture has one.
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
