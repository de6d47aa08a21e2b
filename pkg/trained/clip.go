package trained

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
	"acdclip/pkg/published"
)

// ErrNoCLIP reports a configuration that names no CLIP.
var ErrNoCLIP = errors.New("no CLIP weights were given; set --clip to OpenAI's file, to a Hugging Face or open_clip folder, to a name such as openai:ViT-L/14@336 (see `acdclip weights list`), or to builtin:tiny, the small one in this program")

// OpenCLIP opens the CLIP that a configuration gives by a path or a name. The caller closes it.
func OpenCLIP(c config.Config) (*pretrained.Checkpoint, error) {
	if c.Clip == "" {
		return nil, ErrNoCLIP
	}
	path, err := PathOf(c.Clip, published.CLIP, c)
	if err != nil {
		return nil, err
	}
	weights, err := pretrained.OpenWith(path, pretrained.Options{Heads: pretrained.Heads(c.ClipHeads)})
	if err != nil {
		return nil, err
	}
	if cache, err := os.UserCacheDir(); err == nil {
		weights.Remember(filepath.Join(cache, "acdclip", "clips"))
	}
	return weights, nil
}

// CLIP identifies a CLIP by its files.
type CLIP struct {
	pretrained.Identity
	Activation activation.Activation // the activation that "auto" selects
}

// IdentifyCLIP reads the CLIP of a configuration and identifies it by its content.
func IdentifyCLIP(c config.Config) (CLIP, error) {
	weights, err := OpenCLIP(c)
	if err != nil {
		return CLIP{}, err
	}
	defer weights.Close()
	identity, err := weights.Identity()
	if err != nil {
		return CLIP{}, fmt.Errorf("reading CLIP %s: %w", c.Clip, err)
	}
	return CLIP{identity, weights.OwnActivation()}, nil
}

// CLIPCondition is the name of CLIP's condition in evaluations and trainings.
const CLIPCondition = "CLIP's fingerprint"
