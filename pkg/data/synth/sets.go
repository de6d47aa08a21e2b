package synth

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// The named sets. The built-in CLIP (scripts/builtin) has seen only the classes and kinds
// of defect of SeenTextures and SeenObjects, and its adapters those of More too; those of
// Tuning are for choosing how long the adapters are trained, and all others for measuring.
const (
	Textures     = "textures"      // surfaces without an object, photographed well
	Objects      = "objects"       // one object on a table, photographed well
	All          = "all"           // both of these; as a layout, all benchmarks
	SeenTextures = "seen-textures" // surfaces, photographed in all ways
	SeenObjects  = "seen-objects"  // one or more objects, photographed in all ways
	Seen         = "seen"          // both of these
	More         = "more"          // four more classes for each of them, of the same family with other parameters
	Tuning       = "tuning"        // other classes of both kinds
	Novel        = "novel"         // families of classes and kinds of defect that no other set has
)

// class is one class that the package can draw.
type class struct {
	name    string
	set     string
	object  bool     // one or more objects on a ground, not a texture
	defects []string // its kinds of defect, used in turn
	scene   func(r *rand.Rand, px float64) scene
	tall    float64 // height divided by width of its pictures; 0 means square
	rough   bool    // its pictures are taken with any camera, and its defects may be faint
	gray    bool    // a rough class without colors
	// fresh returns the scenes of a class of the same family with parameters of its own.
	fresh func(class *rand.Rand) func(r *rand.Rand, px float64) scene
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

// entry is a class by its name. Choosing the parameters of all classes takes some time, so a
// class is built only when it is drawn.
type entry struct {
	name, set string
	build     func() class
}

// entries returns the table of the classes in the named set.
func entries(set string) []entry {
	if set == More {
		return more()
	}
	var list []entry
	for _, c := range classic() {
		list = append(list, entry{c.name, c.set, func() class { return c }})
	}
	return slices.DeleteFunc(append(list, varied()...), func(e entry) bool { return !has(set, e.set) })
}

func built(list []entry) []class {
	var classes []class
	for _, e := range list {
		classes = append(classes, e.build())
	}
	return classes
}

// classic returns the classes that are drawn by their own code; a new one is one more row.
// See varied for the others.
func classic() []class {
	return []class{
		{name: "woven_fabric", set: Textures, defects: []string{"hole", "stain", "thread"}, scene: woven},
		{name: "wood_grain", set: Textures, defects: []string{"crack", "dent", "hole", "scratch", "stain"}, scene: wood},
		{name: "brushed_metal", set: Textures, defects: []string{"crack", "dent", "scratch", "stain"}, scene: brushed},
		{name: "speckled_stone", set: Textures, defects: []string{"crack", "hole", "scratch", "stain"}, scene: speckled},
		{name: "floor_tiles", set: Textures, defects: []string{"crack", "hole", "stain", "thread"}, scene: tiles},
		{name: "flat_washer", set: Objects, object: true, defects: []string{"dent", "missing", "scratch", "stain"}, scene: washer},
		{name: "spur_gear", set: Objects, object: true, defects: []string{"crack", "missing", "scratch", "stain"}, scene: gear},
		{name: "gel_capsule", set: Objects, object: true, defects: []string{"crack", "dent", "hole", "scratch", "stain"}, scene: gelCapsule},
		{name: "shirt_button", set: Objects, object: true, defects: []string{"crack", "missing", "scratch", "stain", "thread"}, scene: button},
		{name: "hex_bolt", set: Objects, object: true, defects: []string{"dent", "missing", "scratch", "stain"}, scene: hexBolt},
	}
}

// Sets returns the names of the sets.
func Sets() []string {
	return []string{Textures, Objects, All, SeenTextures, SeenObjects, Seen, More, Tuning, Novel}
}

// has reports whether the named set contains the classes of another.
func has(set, other string) bool {
	switch set {
	case All:
		return other == Textures || other == Objects
	case Seen:
		return other == SeenTextures || other == SeenObjects
	}
	return other == set
}

// Classes returns the names of a set's classes.
func Classes(set string) ([]string, error) {
	var names []string
	for _, e := range entries(set) {
		names = append(names, e.name)
	}
	if names == nil {
		return nil, fmt.Errorf("set %q: %w: the sets are %s", set, ErrUnknown, strings.Join(Sets(), ", "))
	}
	return names, nil
}
