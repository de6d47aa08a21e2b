// Package pretrained opens a CLIP in whatever container it was published:
// OpenAI's TorchScript archives and state dicts, Hugging Face's CLIPModel,
// open_clip's files. The tensors come out under one set of names and shapes,
// OpenAI's, so nothing after this package knows containers.
package pretrained

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

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

	file *weights.File
}

// Tensor is one tensor under its canonical name. Linear weights are [out, in];
// visual.proj and text_projection are [width, embed].
type Tensor struct {
	Name  string
	Shape []int64
	DType weights.DType // as stored; of the first part where the container keeps parts

	parts []*weights.Tensor
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
// holds a small chunk of the file at a time.
func (t Tensor) ReadFloat32(dst []float32) error {
	if int64(len(dst)) != t.NumElements() {
		return fmt.Errorf("reading tensor %s: room for %d values, it has %d", t.Name, len(dst), t.NumElements())
	}
	return t.readFirst(dst)
}

// readFirst reads the first len(dst) values.
func (t Tensor) readFirst(dst []float32) error {
	for _, part := range t.parts {
		n := min(int64(len(dst)), part.NumElements())
		if err := part.ReadFirstFloat32(dst[:n]); err != nil {
			return fmt.Errorf("reading tensor %s: %w", t.Name, err)
		}
		dst = dst[n:]
	}
	return nil
}

// Close closes the weight file.
func (c *Checkpoint) Close() error { return c.file.Close() }

// fingerprintValues is how much of each tensor the fingerprint covers.
const fingerprintValues = 1024

// Fingerprint names the CLIP, whatever container and precision-preserving type
// holds it: "sha256:" and the hex digest over, for each canonical tensor in
// order, its name, a zero byte, the number of dimensions and each of them as
// little-endian uint64, and its first 1,024 values as little-endian float32.
// It reads little more than those values; of a compressed archive at most what
// reading each tensor once inflates, which Open bounds.
func (c *Checkpoint) Fingerprint() (string, error) {
	hash := sha256.New()
	values := make([]float32, fingerprintValues)
	var record []byte
	for _, t := range c.Tensors {
		first := values[:min(fingerprintValues, t.NumElements())]
		if err := t.readFirst(first); err != nil {
			return "", fmt.Errorf("fingerprint of %s: %w", c.Path, err)
		}
		record = append(append(record[:0], t.Name...), 0)
		record = binary.LittleEndian.AppendUint64(record, uint64(len(t.Shape)))
		for _, size := range t.Shape {
			record = binary.LittleEndian.AppendUint64(record, uint64(size))
		}
		for _, v := range first {
			record = binary.LittleEndian.AppendUint32(record, math.Float32bits(v))
		}
		hash.Write(record)
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil)), nil
}
