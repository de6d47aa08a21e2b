package main

import (
	"fmt"

	"acdclip/pkg/calibration"
	"acdclip/pkg/data"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/plural"
	"acdclip/pkg/scoring"
)

// truePixels collects maps with their masks, for the threshold with the largest F1 of pixels.
// nil collects nothing: there are no masks, or they are not wanted.
type truePixels struct {
	set   *data.Dataset
	all   *metrics.Pixels
	fits  scoring.MaskFits
	masks int // of bad pictures
	size  int // side of the maps in pixels
}

// collectPixels begins to collect the pixels of a dataset with masks. The caller closes the
// result.
func collectPixels(set *data.Dataset) (*truePixels, error) {
	all, err := metrics.NewPixels(metrics.Options{})
	return &truePixels{set: set, all: all}, err
}

// close frees what was collected.
func (t *truePixels) close() {
	if t != nil {
		_ = t.all.Close() // only a temporary file
	}
}

// add adds a picture that was scored, if the labels of its pixels are known.
func (t *truePixels) add(scored scoring.Scored) error {
	item := scored.Picture.Item
	if t == nil || !item.HasPixelTruth() {
		return nil
	}
	if item.Anomalous {
		t.masks++
	}
	t.size = scored.Map.Width
	t.fits.Add(scored.Picture)
	return t.all.Add(scored.Map.Scores, scored.Picture.Mask, scored.Map.Width, scored.Map.Height)
}

// threshold finds the map value with the largest F1 of pixels, and says so.
func (t *truePixels) threshold(good, bad []float32, emit func(events.Event)) (calibration.Threshold, error) {
	found, f1, err := calibration.ForPixelF1(t.all, good, bad)
	if err != nil {
		return found, err
	}
	t.fits.Tell(t.set, emit)
	emit(events.Notice{Text: fmt.Sprintf("pixels at least %v have the largest F1, %.3g%%, of pixels at %d x %d, from %s", found.Value, 100*f1, t.size, t.size, plural.Of(t.masks, "mask", "masks"))})
	return found, nil
}
