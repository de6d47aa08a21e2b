// Package pretrained opens a CLIP in whatever container it was published:
// OpenAI's TorchScript archives and state dicts, Hugging Face's CLIPModel,
// open_clip's files. The tensors come out under one set of names and shapes,
// OpenAI's, so nothing after this package knows containers.
package pretrained

import (
	"errors"
	"fmt"

	"acdclip/pkg/weights"
)

// ErrNotCLIP is wrapped by Open's errors about a readable weight file that is no
// complete CLIP, or that contradicts the configuration beside it.
var ErrNotCLIP = errors.New("not a CLIP that can be used")

// Names of Checkpoint.Format.
const (
	FormatTorchScript = "OpenAI TorchScript archive"
	FormatStateDict   = "state dict under OpenAI's names"
	FormatHuggingFace = "Hugging Face CLIPModel"
	FormatOpenCLIP    = "open_clip"
)

// Checkpoint is an open CLIP. Its tensors' values stay in the file until they are
// read, from any goroutine; Close ends that.
type Checkpoint struct {
	Path      string // of the weight file itself
	Format    string
	Container weights.Format
	Arch      Arch
	Tensors   []Tensor // in canonical order
	// Note is what the user should be told: what was assumed because no file says it. "" for nothing.
	Note string

	file *weights.File
	seen *digests
}

// Tensor is one tensor under its canonical name. Linear weights are [out, in];
// visual.proj and text_projection are [width, embed].
type Tensor struct {
	Name  string
	Shape []int64
	DType weights.DType // as stored; of the first part where the container keeps parts

	parts []*weights.Tensor
	seen  *digests // of the Checkpoint
}

// NumElements is the product of the shape.
func (t Tensor) NumElements() int64 {
	count := int64(0)
	for _, part := range t.parts {
		count += part.NumElements()
	}
	return count
}

// ReadFloat32 fills dst, of NumElements, with the values in row-major order. It
// holds a small chunk of the file at a time. A value that is no finite number is an
// error, and so is one that differs from what the file's checksum says.
func (t Tensor) ReadFloat32(dst []float32) error {
	if int64(len(dst)) != t.NumElements() {
		return fmt.Errorf("reading tensor %s: room for %d values, it has %d", t.Name, len(dst), t.NumElements())
	}
	rest := dst
	for _, part := range t.parts {
		n := part.NumElements()
		if err := part.ReadFinite(rest[:n]); err != nil {
			return err // it names the tensor as the file does, and the file
		}
		rest = rest[n:]
	}
	t.seen.add(t.Name, dst)
	return nil
}

// Close closes the weight file.
func (c *Checkpoint) Close() error { return c.file.Close() }
