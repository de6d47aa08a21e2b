package trained

import (
	"errors"
	"fmt"

	"acdclip/pkg/clip/activation"
	"acdclip/pkg/clip/pretrained"
	"acdclip/pkg/config"
)

// ErrNoCLIP reports a configuration that names no CLIP.
var ErrNoCLIP = errors.New("no CLIP weights were given; --clip names them: OpenAI's ViT-L-14-336px.pt, a Hugging Face or open_clip folder, or what `acdclip weights init DIR` made")

// OpenCLIP opens the CLIP that a configuration names. The caller closes it.
func OpenCLIP(c config.Config) (*pretrained.Checkpoint, error) {
	if c.Clip == "" {
		return nil, ErrNoCLIP
	}
	return pretrained.OpenWith(c.Clip, pretrained.Options{Heads: pretrained.Heads(c.ClipHeads)})
}

// CLIP is a CLIP as its files identify it.
type CLIP struct {
	pretrained.Identity
	Activation activation.Activation // what the activation "auto" stands for
}

// IdentifyCLIP identifies the CLIP of a configuration by its content, which it reads.
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

// CLIPCondition names the condition of evaluations and trainings that CLIP is.
const CLIPCondition = "CLIP's fingerprint"
