package config

import "testing"

// TestChoicesAsYAMLWritesThem: a choice that YAML reads as a boolean or a number needs no quotes.
func TestChoicesAsYAMLWritesThem(t *testing.T) {
	for _, test := range []struct {
		yaml, set string
		exif      EXIFOrientation
		depth     Depth
	}{
		{"", "", EXIFAuto, DepthAuto},
		{"data: {exif_orientation: true}", "data.depth=12", EXIFApply, "12"},
		{"data: {exif_orientation: False}", "data.depth=auto", EXIFNone, DepthAuto},
		{`data: {exif_orientation: "true", depth: "9"}`, "", EXIFApply, "9"},
		{"data: {exif_orientation: TRUE, depth: 16}", "data.exif_orientation=auto", EXIFAuto, "16"},
		{"data: {depth: 8}", "data.exif_orientation=false", EXIFNone, "8"},
	} {
		s := Sources{Files: []string{writeFile(t, test.yaml)}}
		if test.set != "" {
			s.Set = []string{test.set}
		}
		if d := load(t, s).Config.Data; d.EXIFOrientation != test.exif || d.Depth != test.depth {
			t.Errorf("%s, %s: %s and %s, want %s and %s", test.yaml, test.set, d.EXIFOrientation, d.Depth, test.exif, test.depth)
		}
	}
}

func TestEXIFOrientation(t *testing.T) {
	for o, want := range map[EXIFOrientation]struct{ own, other bool }{
		EXIFAuto: {true, false}, EXIFApply: {true, true}, EXIFNone: {false, false},
	} {
		if o.Own().Applies() != want.own || o.Applies() != want.other {
			t.Errorf("%s: %v for own pictures, %v for others", o, o.Own().Applies(), o.Applies())
		}
	}
}

func TestDepthBits(t *testing.T) {
	for d, want := range map[Depth]int{DepthAuto: 0, "": 0, "8": 8, "16": 16} {
		if got := d.Bits(); got != want {
			t.Errorf("%q: %d bits, want %d", d, got, want)
		}
	}
}
