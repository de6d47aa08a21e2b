package model

import (
	"errors"
	"fmt"
	"slices"

	"acdclip/cgo/torch"
)

// CLIPInput describes pictures of a size with CLIP's normalisation.
func CLIPInput(size int) Input {
	return Input{
		Size: size,
		Mean: [3]float32{0.48145466, 0.4578275, 0.40821073},
		Std:  [3]float32{0.26862954, 0.26130258, 0.27577711},
	}
}

// CheckPictures returns an error unless pictures are [B, 3, size, size] and B is the number
// of class indexes. Broadcasting would otherwise silently accept some wrong shapes.
func CheckPictures(pictures torch.Tensor, size, classes int) error {
	side := int64(size)
	shape := pictures.Shape()
	if len(shape) != 4 || !slices.Equal(shape[1:], []int64{3, side, side}) {
		return fmt.Errorf("pictures have shape %v, expected [B, 3, %d, %d]", shape, side, side)
	}
	if int64(classes) != shape[0] {
		return fmt.Errorf("class indexes for %d pictures, but %d pictures", classes, shape[0])
	}
	return nil
}

// Check returns an error unless the shapes of a batch of pictures of a size match.
func (b Batch) Check(size int) error {
	if err := CheckPictures(b.Pictures, size, len(b.ClassOf)); err != nil {
		return err
	}
	count, side := int64(len(b.ClassOf)), int64(size)
	if shape := b.Masks.Shape(); !slices.Equal(shape, []int64{count, side, side}) {
		return fmt.Errorf("masks have shape %v, expected [%d, %d, %d]", shape, count, side, side)
	}
	if len(b.Labels) != len(b.ClassOf) {
		return fmt.Errorf("%d labels for %d pictures", len(b.Labels), count)
	}
	if len(b.Classes.Prompts) == 0 {
		return errors.New("no classes were given")
	}
	return nil
}
