package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// The named sets.
const (
	Textures = "textures" // surfaces without an object
	Objects  = "objects"  // one object on a table
	All      = "all"      // both sets; as a layout, all benchmarks
)

// class is one class that the package can draw.
type class struct {
	name    string
	set     string
	defects []string // its kinds of defect, used in turn
	scene   func(r *rand.Rand, px float64) scene
	tall    float64 // height divided by width of its pictures; 0 means square
}

// shape returns a picture's size in pixels. The larger side is size, or more if the
// smaller side would be below MinSize.
func (c class) shape(size int) (width, height int) {
	if c.tall == 0 {
		return size, size
	}
	width = max(MinSize, int(float64(size)/c.tall))
	return width, int(math.Round(float64(width) * c.tall))
}

// classes returns the table of all classes; a new class is one more row.
func classes() []class {
	return []class{
		{name: "woven_fabric", set: Textures, defects: []string{"hole", "stain", "thread"}, scene: woven},
		{name: "wood_grain", set: Textures, defects: []string{"crack", "dent", "hole", "scratch", "stain"}, scene: wood},
		{name: "brushed_metal", set: Textures, defects: []string{"crack", "dent", "scratch", "stain"}, scene: brushed},
		{name: "speckled_stone", set: Textures, defects: []string{"crack", "hole", "scratch", "stain"}, scene: speckled},
		{name: "floor_tiles", set: Textures, defects: []string{"crack", "hole", "stain", "thread"}, scene: tiles},
		{name: "flat_washer", set: Objects, defects: []string{"dent", "missing", "scratch", "stain"}, scene: washer},
		{name: "spur_gear", set: Objects, defects: []string{"crack", "missing", "scratch", "stain"}, scene: gear},
		{name: "gel_capsule", set: Objects, defects: []string{"crack", "dent", "hole", "scratch", "stain"}, scene: gelCapsule},
		{name: "shirt_button", set: Objects, defects: []string{"crack", "missing", "scratch", "stain", "thread"}, scene: button},
		{name: "hex_bolt", set: Objects, defects: []string{"dent", "missing", "scratch", "stain"}, scene: hexBolt},
	}
}

// Sets returns the names of the sets.
func Sets() []string { return []string{Textures, Objects, All} }

// Classes returns the names of a set's classes.
func Classes(set string) ([]string, error) {
	var names []string
	for _, c := range classes() {
		if set == c.set || set == All {
			names = append(names, c.name)
		}
	}
	if names == nil {
		return nil, fmt.Errorf("set %q: %w: the sets are %s", set, ErrUnknown, strings.Join(Sets(), ", "))
	}
	return names, nil
}
