package main

import (
	"slices"
	"strings"
	"testing"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/data/pixels/picture/orientation"
	"acdclip/pkg/events"
)

// TestReadings: while a folder is watched, each thing is said after the first round that has
// it, and not again.
func TestReadings(t *testing.T) {
	turned := picture.Reading{Turn: orientation.RotateRight}
	dim := picture.Reading{Turn: picture.Upright, Largest: 99}
	r := newReadings(picture.DecodeOptions{})
	for i, round := range []struct {
		pictures []picture.Reading
		says     []string // the start of each text
	}{
		{[]picture.Reading{{Turn: picture.Upright}, {}}, nil},
		{[]picture.Reading{turned, turned}, []string{"turned 2 pictures by the EXIF orientation; "}},
		{[]picture.Reading{turned, dim}, []string{"1 of 1 pictures with 16 bits per channel has no value above 99 of 65535"}},
		{[]picture.Reading{turned, dim}, nil},
	} {
		for _, reading := range round.pictures {
			r.add(pixels.Picture{Item: data.Item{Path: "a.png"}, Reading: reading})
		}
		var told []string
		r.tell(func(event events.Event) {
			switch e := event.(type) {
			case events.Notice:
				told = append(told, e.Text)
			case events.Warning:
				told = append(told, e.Text)
			}
		})
		if !slices.EqualFunc(told, round.says, strings.HasPrefix) {
			t.Errorf("round %d: %q, want %q", i, told, round.says)
		}
	}
}
