// Package pretrained opens a CLIP in all published formats: OpenAI's TorchScript
// archives and state dicts, Hugging Face's CLIPModel, and open_clip's files. It returns
// the tensors with OpenAI's names and shapes, so callers are independent of the format.
package pretrained

import (
	"errors"
	"fmt"
	"slices"

	"acdclip/pkg/weights"
)

// ErrNotCLIP is wrapped by Open's errors about a readable weight file that is not a
// complete CLIP, or that contradicts the configuration beside it.
var ErrNotCLIP = errors.New("not a supported CLIP")

// The values of Checkpoint.Format.
const (
	FormatTorchScript = "OpenAI TorchScript archive"
	FormatStateDict   = "state dict with OpenAI's names"
	FormatHuggingFace = "Hugging Face CLIPModel"
	FormatOpenCLIP    = "open_clip"
)

// Checkpoint is an open CLIP. Its tensors' values stay in the file until they are read,
// which is safe for concurrent use and must not happen after Close.
type Checkpoint struct {
	Path      string // path of the weight file itself
	Format    string
	Container weights.Format
	Arch      Arch
	// Normalisation is how pictures were normalised in training: CLIP's, unless the files say another.
	Normalisation Normalisation
	Tensors       []Tensor // in canonical order
	// KeptTokens are the ids, rising, that have a token embedding of their own in a cut
	// vocabulary; nil if the vocabulary is whole. See TokenRows.
	KeptTokens []int32
	// Note tells the user what was assumed because no file states it; "" for nothing.
	Note string

	file     *weights.File
	seen     *digests
	memory   string    // the file on disk that remembers the identity; "" for none
	identity *Identity // remembered; nil if it is not known yet
}

// Tensor is one tensor under its canonical name. Linear weights are [out, in];
// visual.proj and text_projection are [width, embed].
type Tensor struct {
	Name  string
	Shape []int64
	DType weights.DType // stored type; the first part's if the file stores several parts

	parts []*weights.Tensor
	seen  *digests // the Checkpoint's digests
}

// NumElements is the product of the shape.
func (t Tensor) NumElements() int64 {
	count := int64(0)
	for _, part := range t.parts {
		count += part.NumElements()
	}
	return count
}

// IsHalf reports whether all values are stored as float16, so that they lose nothing in it.
func (t Tensor) IsHalf() bool {
	return !slices.ContainsFunc(t.parts, func(part *weights.Tensor) bool { return part.DType != weights.F16 })
}

// ReadFloat32 fills dst, of length NumElements, with the values in row-major order. It
// reads the file in small chunks. A value that is not finite is an error, and so is a
// checksum mismatch.
func (t Tensor) ReadFloat32(dst []float32) error {
	if int64(len(dst)) != t.NumElements() {
		return fmt.Errorf("reading tensor %s: the destination has %d values, the tensor %d", t.Name, len(dst), t.NumElements())
	}
	rest := dst
	for _, part := range t.parts {
		n := part.NumElements()
		if err := part.ReadFinite(rest[:n]); err != nil {
			return err // it contains the file and the tensor's name in it
		}
		rest = rest[n:]
	}
	t.seen.add(t.Name, dst)
	return nil
}

// Close closes the weight file.
func (c *Checkpoint) Close() error { return c.file.Close() }
