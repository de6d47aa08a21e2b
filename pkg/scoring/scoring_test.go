package scoring

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/events"
)

func TestClassesAreListedOnce(t *testing.T) {
	var c Classes
	var places []int
	for _, prompt := range []string{"nut", "bolt", "nut", "", "bolt", ""} {
		places = append(places, c.Place(prompt))
	}
	if !slices.Equal(c.Prompts, []string{"nut", "bolt", ""}) || !slices.Equal(places, []int{0, 1, 0, 2, 1, 2}) {
		t.Errorf("%q at %v", c.Prompts, places)
	}
}

func TestChunks(t *testing.T) {
	for _, c := range []struct {
		count, size int
		want        [][]int
	}{{0, 3, nil}, {3, 3, [][]int{{0, 1, 2}}}, {5, 2, [][]int{{0, 1}, {2, 3}, {4}}}} {
		if got := Chunks(c.count, c.size); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%d in pieces of %d: %v", c.count, c.size, got)
		}
	}
}

// TestMaskFits checks that the first mask in the dataset's order is named, regardless of the order in which pictures are added.
func TestMaskFits(t *testing.T) {
	set := &data.Dataset{Name: "parts", Root: "/parts"}
	picture := func(place int, fit pixels.MaskFit) pixels.Picture {
		name := string(rune('a' + place))
		return pixels.Picture{Index: place, MaskFit: fit, Item: data.Item{Path: "/parts/" + name + ".png", Mask: "/parts/masks/" + name + ".png"}}
	}
	for _, c := range []struct {
		places []int
		says   string
	}{
		{nil, ""},
		{[]int{4}, "parts: 1 mask has a different aspect ratio than its picture, by more than 2 %, so marks may be misplaced; the first is masks/e.png of e.png;"},
		{[]int{4, 0, 2}, "parts: 3 masks have different aspect ratios than their pictures, by more than 2 %, so marks may be misplaced; the first is masks/a.png of a.png;"},
	} {
		var fits MaskFits
		var told []string
		fits.Add(picture(1, pixels.MaskFits))
		for _, place := range c.places {
			fits.Add(picture(place, pixels.MaskOtherAspect))
		}
		fits.Tell(set, func(event events.Event) { told = append(told, event.(events.Warning).Text) })
		if len(told) > 1 || (len(told) == 1) != (c.says != "") || c.says != "" && !strings.HasPrefix(told[0], c.says) {
			t.Errorf("%v: %q", c.places, told)
		}
	}
}

func TestCosts(t *testing.T) {
	var c Costs
	done := make(chan bool)
	for range 4 {
		go func() { c.Reading.Add(time.Second); done <- true }()
	}
	for range 4 {
		<-done
	}
	c.Waiting.Add(time.Minute)
	c.Model.Add(2 * time.Second)
	c.Metrics.Add(500 * time.Millisecond)
	if got, want := c.Event(time.Hour), (events.Costs{Total: 3600, Reading: 4, Waiting: 60, Model: 2, Metrics: 0.5}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
