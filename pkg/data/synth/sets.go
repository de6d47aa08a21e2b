package synth

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
)

// The named sets.
const (
	Textures = "textures" // surfaces without an object
	Objects  = "objects"  // one object on a table
	All      = "all"      // both
)

// class is one class that can be drawn.
type class struct {
	name    string
	set     string
	defects []string // its kinds of defect, taken in turn
	scene   func(r *rand.Rand, px float64) scene
}

// classes is the table of all classes; a new class is one more row.
func classes() []class {
	return []class{
		{"woven_fabric", Textures, []string{"hole", "stain", "thread"}, woven},
		{"wood_grain", Textures, []string{"crack", "dent", "hole", "scratch", "stain"}, wood},
		{"brushed_metal", Textures, []string{"crack", "dent", "scratch", "stain"}, brushed},
		{"speckled_stone", Textures, []string{"crack", "hole", "scratch", "stain"}, speckled},
		{"floor_tiles", Textures, []string{"crack", "hole", "stain", "thread"}, tiles},
		{"flat_washer", Objects, []string{"dent", "missing", "scratch", "stain"}, washer},
		{"spur_gear", Objects, []string{"crack", "missing", "scratch", "stain"}, gear},
		{"gel_capsule", Objects, []string{"crack", "dent", "hole", "scratch", "stain"}, gelCapsule},
		{"shirt_button", Objects, []string{"crack", "missing", "scratch", "stain", "thread"}, button},
		{"hex_bolt", Objects, []string{"dent", "missing", "scratch", "stain"}, hexBolt},
	}
}

// ErrUnknown is a set's or class's name that is not there.
var ErrUnknown = errors.New("unknown name")

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

// chosen returns a set's classes, or those of them that are named.
func chosen(set string, names []string) ([]class, error) {
	known, err := Classes(set)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = known
	}
	wanted := make(map[string]bool, len(names))
	for _, name := range names {
		wanted[name] = true
	}
	var list []class
	for _, c := range classes() {
		if (set == c.set || set == All) && wanted[c.name] {
			list = append(list, c)
			delete(wanted, c.name)
		}
	}
	for _, name := range names {
		if wanted[name] {
			return nil, fmt.Errorf("class %q: %w: set %s has %s", name, ErrUnknown, set, strings.Join(known, ", "))
		}
	}
	return list, nil
}
