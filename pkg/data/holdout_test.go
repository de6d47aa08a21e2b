package data

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestHoldOut(t *testing.T) {
	set := func(classes ...string) *Dataset {
		d := &Dataset{Name: "set", Root: "/set"}
		for _, class := range classes {
			d.Classes = append(d.Classes, Class{Name: class})
			d.Items = append(d.Items, Item{Path: "/set/" + class + "/0.png", Class: class}, Item{Path: "/set/" + class + "/1.png", Class: class, Anomalous: true})
		}
		return d
	}
	names := func(d *Dataset) string {
		var list []string
		for _, class := range d.Classes {
			list = append(list, class.Name)
		}
		return strings.Join(list, " ")
	}
	for _, c := range []struct{ classes, wanted, rest, held, says string }{
		{"a b c d", "", "a b c d", "", ""},
		{"a b c d", "c", "a b d", "c", ""},
		{"a b c d", "d a", "b c", "a d", ""},
		{"a b c d", "d d", "a b c", "d", ""},
		{"a b c d", "1", "a b d", "c", ""},
		{"a b c d", "2", "a c", "b d", ""},
		{"a b c d", "3", "b", "a c d", ""},
		{"1 2 3", "2", "1 3", "2", ""}, // a class with that name
		{"01 02 03", "1", "01 03", "02", ""},
		{"a b", "2", "", "", "2 of its 2 classes cannot be held out"},
		{"a b", "0", "", "", "0 of its"},
		{"a b", "-1", "", "", "-1 of its"},
		{"50%", "50%", "", "", "all of its 1 class"}, // a class with that name
		{"a", "0%", "", "", ": 0% of its pictures"},
		{"a", "100%", "", "", ": 100% of its pictures"},
		{"a", "x%", "", "", ": x% of its pictures"},
		{"a", "NaN%", "", "", ": NaN% of its pictures"},
		{"a", "1", "", "", "1 of its 1 class cannot"},
		{"a b", "a b", "", "", "leave at least one"},
		{"a b", "x", "", "", `no such class: "x"`},
		{"a b", "1 2", "", "", "no such class"},
	} {
		d := set(strings.Fields(c.classes)...)
		rest, held, err := d.HoldOut(strings.Fields(c.wanted))
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s without %q: %v, want %q", c.classes, c.wanted, err, c.says)
			}
			want := ErrHoldOut
			if strings.Contains(c.says, "no such class") {
				want = ErrUnknownClass
			}
			if !errors.Is(err, want) {
				t.Errorf("%v is no %v", err, want)
			}
		case err != nil:
			t.Errorf("%s without %q: %v", c.classes, c.wanted, err)
		case c.held == "":
			if rest != d || held != nil {
				t.Errorf("%s: something is held out", c.classes)
			}
		default:
			if names(rest) != c.rest || names(held) != c.held || len(rest.Items)+len(held.Items) != len(d.Items) {
				t.Errorf("%s without %q: %s and %s", c.classes, c.wanted, names(rest), names(held))
			}
			if slices.ContainsFunc(rest.Items, func(item Item) bool { return strings.Contains(" "+c.held+" ", " "+item.Class+" ") }) {
				t.Errorf("%s without %q: a row of a held-out class is left", c.classes, c.wanted)
			}
		}
	}
}

// TestHoldOutShare: each picture is on one side, and each class and label on both.
func TestHoldOutShare(t *testing.T) {
	d := &Dataset{Name: "set", Root: "/set"}
	for _, class := range []string{"a", "b"} {
		d.Classes = append(d.Classes, Class{Name: class})
		for i := range 20 {
			d.Items = append(d.Items, Item{Path: fmt.Sprintf("/set/%s/%02d.png", class, i), Class: class, Anomalous: i >= 10})
		}
	}
	for share, want := range map[string]int{"25%": 10, "12.5%": 5, "0.001%": 1, "50%": 20} {
		rest, held, err := d.HoldOut([]string{share})
		if err != nil {
			t.Fatal(err)
		}
		sides := map[string]int{}
		for _, item := range append(slices.Clone(rest.Items), held.Items...) {
			sides[item.Path]++
		}
		if len(held.Items) != want || len(rest.Items)+len(held.Items) != 40 || len(sides) != 40 {
			t.Errorf("%s: %d held out and %d left, %d in all", share, len(held.Items), len(rest.Items), len(sides))
		}
		if want < 4 {
			continue
		}
		for _, side := range []*Dataset{rest, held} {
			for _, count := range side.Counts() {
				if count.Normal == 0 || count.Anomalous == 0 || len(side.Classes) != 2 {
					t.Errorf("%s: %+v", share, side.Counts())
				}
			}
		}
	}
}

// TestHoldOutShareOfRepeatedPictures: no row of a held-out picture stays in the rest.
func TestHoldOutShareOfRepeatedPictures(t *testing.T) {
	d := &Dataset{Name: "set", Root: "/set", Classes: []Class{{Name: "a"}, {Name: "b"}}}
	for _, class := range []string{"a", "b"} {
		for i := range 20 {
			d.Items = append(d.Items, Item{Path: fmt.Sprintf("/set/%02d.png", i), Class: class, Anomalous: i >= 10})
		}
	}
	for _, share := range []string{"5%", "25%", "60%"} {
		rest, held, err := d.HoldOut([]string{share})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range held.Items {
			if slices.ContainsFunc(rest.Items, func(other Item) bool { return other.Path == item.Path }) {
				t.Errorf("%s: %s is on both sides", share, item.Path)
			}
		}
	}
}
