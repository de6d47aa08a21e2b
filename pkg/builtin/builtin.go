// Package builtin holds the weights that are part of the program: a small CLIP for defects on
// surfaces and adapters trained on it, both from drawn pictures alone (docs/builtin.md).
package builtin

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
)

// Tiny is the name of the built-in CLIP, and of the checkpoint with its adapters.
const Tiny = "builtin:tiny"

// ImageSize is the side in pixels of the pictures that Tiny is used with.
const ImageSize = 112

// Method is the method that the checkpoint Tiny belongs to.
const Method = "acdclip"

// About says what Tiny is, and how to get something larger.
const About = Tiny + " is the small CLIP in this program: it finds local defects on surfaces such as metal, stone, wood or fabric, and less surely on objects; " +
	"for a large one, run `acdclip weights fetch openai:ViT-L/14@336` (0.9 GB) and see `acdclip help methods`"

// ErrUnknown reports a name of built-in weights that do not exist.
var ErrUnknown = errors.New("unknown built-in weights")

// CLIP is a CLIP in Hugging Face's format.
type CLIP struct {
	Weights []byte // model.safetensors
	Config  []byte // config.json
}

var (
	//go:embed tiny/model.safetensors
	tinyWeights []byte
	//go:embed tiny/config.json
	tinyConfig []byte
	//go:embed tiny/adapters.safetensors
	tinyAdapters []byte
)

// Is reports whether weights are given by a name of built-in ones.
func Is(source string) bool { return strings.HasPrefix(source, "builtin:") }

// Check returns an error that wraps ErrUnknown if no built-in weights have that name.
func Check(name string) error {
	if name != Tiny {
		return fmt.Errorf("%w: %s; there is only %s", ErrUnknown, name, Tiny)
	}
	return nil
}

// OpenCLIP returns the CLIP with that name. The caller must not change its bytes.
func OpenCLIP(name string) (CLIP, error) {
	return CLIP{tinyWeights, tinyConfig}, Check(name)
}

// Checkpoint returns the checkpoint of the adapters with that name. The caller must not
// change the bytes.
func Checkpoint(name string) ([]byte, error) {
	return tinyAdapters, Check(name)
}
