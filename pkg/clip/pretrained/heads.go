package pretrained

import (
	"fmt"
	"strings"
)

// Heads are the numbers of attention heads of the two towers; 0 if not given. They cannot
// be derived from tensor shapes.
type Heads struct{ Vision, Text int }

// headWidth is the width of one head in OpenAI's models, which their loader assumes for all models.
const headWidth = 64

// headsKey is the section of the user's configuration that sets Heads.
const headsKey = "clip_heads"

// knownHeads maps the widths of the published models' towers to their heads: OpenAI's
// ViT-B and ViT-L, and open_clip's ViT-S, ViT-M, ViT-B/16+, ViT-H, ViT-g, ViT-bigG and ViT-e.
func knownHeads() (vision, text map[int]int) {
	return map[int]int{384: 6, 512: 8, 768: 12, 896: 14, 1024: 16, 1280: 16, 1408: 16, 1664: 16, 1792: 16},
		map[int]int{256: 4, 384: 6, 512: 8, 640: 10, 768: 12, 1024: 16, 1280: 20}
}

// tower is the information about the heads of one tower.
type tower struct {
	name       string // "vision" or "text"
	width      int
	set        int // set by the user; 0 for none
	configured int // stated by the configuration beside the weights; 0 for none
	known      map[int]int
}

// heads returns the number of heads, with a note if it is assumed. The user's setting
// replaces a missing configuration and must not contradict an existing one.
func (t tower) heads() (heads int, note string, err error) {
	key := headsKey + "." + t.name
	switch {
	case t.set > 0 && t.configured > 0 && t.set != t.configured:
		return 0, "", fmt.Errorf("%s is %d, but the configuration beside the weights has %d %s heads; remove the setting: %w",
			key, t.set, t.configured, t.name, ErrNotCLIP)
	case t.set > 0:
		heads = t.set
	case t.configured > 0:
		heads = t.configured
	case t.known[t.width] > 0:
		heads = t.known[t.width]
	case t.width%headWidth != 0:
		return 0, "", fmt.Errorf("no configuration states the number of %s heads, and it cannot be assumed because the width %d is not a multiple of %d; set it with --set %s=N: %w",
			t.name, t.width, headWidth, key, ErrNotCLIP)
	default:
		heads = t.width / headWidth
		note = fmt.Sprintf("%d in the %s tower of width %d (%s)", heads, t.name, t.width, key)
	}
	if t.width%heads != 0 {
		return 0, "", fmt.Errorf("%d %s heads do not divide the width %d: %w", heads, t.name, t.width, ErrNotCLIP)
	}
	return heads, note, nil
}

// setHeads sets the heads of both towers and returns a note if any are assumed.
func (a *Arch) setHeads(set, configured Heads) (note string, err error) {
	var assumed []string
	vision, text := knownHeads()
	for _, t := range []struct {
		tower
		into *int
	}{
		{tower{"vision", a.VisionWidth, set.Vision, configured.Vision, vision}, &a.VisionHeads},
		{tower{"text", a.TextWidth, set.Text, configured.Text, text}, &a.TextHeads},
	} {
		heads, note, err := t.heads()
		if err != nil {
			return "", err
		}
		*t.into = heads
		if note != "" {
			assumed = append(assumed, note)
		}
	}
	if assumed == nil {
		return "", nil
	}
	return fmt.Sprintf("no configuration states the number of attention heads of this CLIP; assuming one per %d of the width: %s; change it with --set %s.vision=N and %s.text=N",
		headWidth, strings.Join(assumed, ", "), headsKey, headsKey), nil
}
