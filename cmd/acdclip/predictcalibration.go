package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"acdclip/pkg/calibration"
	"acdclip/pkg/conditions"
	"acdclip/pkg/events"
	"acdclip/pkg/present"
)

var errNoPixelThreshold = usagef("--masks needs --pixel-threshold, the map value from which a pixel is white, or a calibration (see `acdclip calibrate --help`)")

// calibrationBeside returns the place of the calibration of a checkpoint that is a file; "" for
// others.
func calibrationBeside(checkpoint string) string {
	if checkpoint == "" || !present.Any(checkpoint) {
		return ""
	}
	return calibration.Beside(checkpoint)
}

// useCalibration takes the thresholds that no flag gives from --calibration, or from the file
// beside the checkpoint if it was made under the same conditions. Masks need a threshold.
func (o *predictOptions) useCalibration(basis conditions.Record) error {
	if o.threshold != nil || o.pixelThreshold != nil {
		o.thresholdsFrom = "the command line"
	}
	if err := o.readCalibration(basis); err != nil {
		return err
	}
	if o.masks && o.pixelThreshold == nil {
		return errNoPixelThreshold
	}
	return nil
}

func (o *predictOptions) readCalibration(basis conditions.Record) error {
	path, given := o.calibration, o.calibration != ""
	if !given {
		if path = calibrationBeside(o.checkpoint); path == "" {
			return nil
		}
	}
	c, err := calibration.Read(path)
	switch {
	case !given && errors.Is(err, fs.ErrNotExist):
		return nil
	case err == nil:
		err = c.Fits(basis)
	}
	switch {
	case err != nil && given:
		return fmt.Errorf("--calibration %s: %w", path, err)
	case err != nil:
		o.app.emit(events.Warning{Text: fmt.Sprintf("%s is not used: %v", path, err)})
		return nil
	}
	var taken []string
	if o.threshold == nil {
		o.threshold = &c.Score.Value
		taken = append(taken, fmt.Sprintf("score %v", c.Score.Value))
	}
	if o.pixelThreshold == nil {
		o.pixelThreshold = &c.Pixel.Value
		taken = append(taken, fmt.Sprintf("pixels %v", c.Pixel.Value))
	}
	if taken == nil {
		return nil
	}
	o.thresholdsFrom = strings.TrimPrefix(o.thresholdsFrom+" and "+path, " and ")
	o.app.emit(events.Notice{Text: fmt.Sprintf("thresholds from %s: %s (%s, from %d good and %d bad pictures)",
		path, strings.Join(taken, ", "), c.Rule, c.Good, c.Bad)})
	return nil
}
