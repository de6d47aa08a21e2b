package pretrained

import (
	"fmt"
	"strings"
)

// Heads are the numbers of attention heads of the two towers; 0 where they are not
// given. No tensor's shape says them.
type Heads struct{ Vision, Text int }

// headWidth is the width of one head in OpenAI's models, and what their own loader assumes of any other.
const headWidth = 64

// headsKey is the section of the configuration in which the user gives Heads.
const headsKey = "clip_heads"

// knownHeads gives the widths of the published models' towers, and their heads:
// OpenAI's ViT-B and ViT-L, and open_clip's ViT-H, ViT-g and ViT-bigG.
func knownHeads() (vision, text map[int]int) {
	return map[int]int{768: 12, 1024: 16, 1280: 16, 1408: 16, 1664: 16},
		map[int]int{512: 8, 768: 12, 1024: 16, 1280: 20}
}

// tower is one of the two whose heads are found.
type tower struct {
	name       string // "vision" or "text"
	width      int
	set        int // by the user
	configured int // by the configuration beside the weights
	known      map[int]int
}

// heads is the number of heads, and where it is assumed what must be said of it. The
// user's setting stands in for a configuration, and must not contradict one.
func (t tower) heads() (heads int, note string, err error) {
	key := headsKey + "." + t.name
	switch {
	case t.set > 0 && t.configured > 0 && t.set != t.configured:
		return 0, "", fmt.Errorf("%s is %d, but the configuration beside the weights says %d %s heads: leave the setting out: %w",
			key, t.set, t.configured, t.name, ErrNotCLIP)
	case t.set > 0:
		heads = t.set
	case t.configured > 0:
		heads = t.configured
	case t.known[t.width] > 0:
		heads = t.known[t.width]
	case t.width%headWidth != 0:
		return 0, "", fmt.Errorf("no configuration says how many %s heads there are, and the width %d is no multiple of %d, by which they are assumed: --set %s=N gives them: %w",
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

// setHeads finds the heads of both towers and returns what must be said of them.
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
	return fmt.Sprintf("no configuration says how many attention heads this CLIP has; assumed, one for %d of the width: %s; --set %s.vision=N and %s.text=N change that",
		headWidth, strings.Join(assumed, ", "), headsKey, headsKey), nil
}
