package main

import (
	"fmt"

	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/events"
	"acdclip/pkg/plural"
	"acdclip/pkg/scoring"
)

// readings tell how the user's own pictures were read, where that is worth to know: each
// thing once a run.
type readings struct {
	turned                 int // pictures that were turned by their EXIF orientation
	depths                 scoring.Depths
	toldTurned, toldDepths bool
}

func newReadings(o picture.DecodeOptions) readings {
	return readings{depths: scoring.Depths{Bits: o.Bits}}
}

// add counts a picture that was read.
func (r *readings) add(p pixels.Picture) {
	if p.Reading.Turn > picture.Upright {
		r.turned++
	}
	r.depths.Add(p)
}

// tell says what there is to say and was not said before.
func (r *readings) tell(emit func(events.Event)) {
	if r.turned > 0 && !r.toldTurned {
		r.toldTurned = true
		emit(events.Notice{Text: fmt.Sprintf("turned %s by the EXIF orientation; --set data.exif_orientation=false reads pictures as they are stored", plural.Of(r.turned, "picture", "pictures"))})
	}
	if text := r.depths.Text(func(path string) string { return path }); text != "" && !r.toldDepths {
		r.toldDepths = true
		emit(events.Warning{Text: text})
	}
}
