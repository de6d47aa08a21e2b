package synth

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"
)

// everyClass returns the classes of all sets.
func everyClass() []class { return slices.Concat(built(entries(All)), built(varied()), built(more())) }

// unseen lists the sets that the built-in CLIP has not seen.
func unseen() []string { return []string{Textures, Objects, Tuning, Novel} }

// TestHeldOut: no class is in two sets, and what is called novel is in no other set.
func TestHeldOut(t *testing.T) {
	owner := map[string]string{}
	kinds := map[string]map[string]bool{}
	for _, c := range everyClass() {
		if before, twice := owner[c.name]; twice {
			t.Errorf("%s is in %s and in %s", c.name, before, c.set)
		}
		owner[c.name] = c.set
		if kinds[c.set] == nil {
			kinds[c.set] = map[string]bool{}
		}
		for _, kind := range c.defects {
			kinds[c.set][kind] = true
		}
	}
	for kind := range kinds[Novel] {
		for set, has := range kinds {
			if set != Novel && has[kind] {
				t.Errorf("%s is novel, but %s has it", kind, set)
			}
		}
	}
	for _, row := range surfaceRows() {
		if row.novel != nil && (row.seen != nil || row.tuning != nil) {
			t.Errorf("the family of %v is not novel", row.novel)
		}
	}
	seen, _ := Classes(Seen)
	for _, set := range unseen() {
		names, err := Classes(set)
		if err != nil || len(names) == 0 || slices.ContainsFunc(names, func(name string) bool { return slices.Contains(seen, name) }) {
			t.Errorf("%s: %v, %v", set, names, err)
		}
	}
	if len(seen) < 100 {
		t.Errorf("%d seen classes", len(seen))
	}
}

// TestVariedMasksAreExact: before the picture is taken, a defect changes the mask's pixels and
// no other, can be seen, and does not fill the picture.
func TestVariedMasksAreExact(t *testing.T) {
	for _, c := range built(varied()) {
		for k, defect := range c.defects {
			p := picture{seed: 7, class: c.name, split: "test/" + defect, index: k}
			v := view{side: 1, size: 72}
			s := c.scene(p.stream("scene"), v.px())
			clean := make([]color, v.size*v.size)
			for i := range clean {
				clean[i] = s.color(v.at(i))
			}
			damaged := slices.Clone(clean)
			mask, err := damage(p, c, ground{s, v}, defect, plainly, damaged)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			area, change := 0, 0.0
			for i, m := range mask {
				switch {
				case m == 0 && damaged[i] != clean[i]:
					t.Fatalf("%s %s: pixel %d outside the mask differs", c.name, defect, i)
				case m != 0:
					area++
					change += distance(clean[i], damaged[i])
				}
			}
			if area < 4 || area > len(mask)/2 || change < 0.02*float64(area) {
				t.Errorf("%s %s: the mask has %d pixels, changed by %.2f together", c.name, defect, area, change)
			}
		}
	}
}

// TestVariedPixelsAreKnown: what a seed draws must not change unnoticed, because the built-in
// CLIP and its figures were made with it.
func TestVariedPixelsAreKnown(t *testing.T) {
	if fuses(1+0x1p-30, 1+0x1p-29) {
		t.Skip("this build fuses a product and a sum into one rounding, which changes a few pixels")
	}
	hash := sha256.New()
	for _, c := range built(varied()) {
		m, mask, err := render(picture{seed: 1, class: c.name, split: "test", index: 0}, c, c.defects[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		hash.Write(m.Pix)
		hash.Write(mask)
	}
	const known = "695da289622fc139f07a33fbcc580bd86fce8d7483772ab422498c1314d02a14"
	if got := hex.EncodeToString(hash.Sum(nil)); got != known {
		t.Errorf("pixels %s, want %s: what a seed draws has changed", got, known)
	}
}

// TestCamera: a camera treats equal pixels alike, and one without colors takes gray pictures.
func TestCamera(t *testing.T) {
	const size = 32
	pixels := make([]color, size*size)
	for i := range pixels {
		pixels[i] = hsv(float64(i)/float64(len(pixels)), 0.5, 0.6)
	}
	other := slices.Clone(pixels)
	for i := range other[:size*size/4] {
		other[i] = grey(0)
	}
	for n := range 40 {
		r := (picture{seed: uint64(n)}).stream("camera")
		c := newCamera(r, n%2 == 0)
		a, b := c.shoot(pixels, size), c.shoot(other, size)
		if c.quality == 0 && !slices.Equal(a.Pix[4*size*size/2:], b.Pix[4*size*size/2:]) {
			t.Errorf("%d: the lower halves are equal, their pictures not", n)
		}
		if slices.Equal(a.Pix, b.Pix) {
			t.Errorf("%d: the upper halves differ, their pictures not", n)
		}
		for i := 0; i < len(a.Pix); i += 4 {
			if p := a.Pix[i:]; c.gray && c.quality == 0 && (p[0] != p[1] || p[1] != p[2]) || p[3] != 255 {
				t.Fatalf("%d: pixel %v, gray %v", n, p[:4], c.gray)
			}
		}
	}
}
