package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/pflag"

	"acdclip/internal/ui"
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

// thresholdOptions are the thresholds of flags, and those of a calibration for what no flag
// gives. predict and serve share them.
type thresholdOptions struct {
	threshold, pixelThreshold *float32 // nil where none was given
	calibration               string   // a file with thresholds; "" for the one beside the checkpoint, if there is one
	thresholdsFrom            string   // where the thresholds come from; "" for none
}

// registerThresholds adds these flags. The flags' values are theirs until takeFlags.
func (o *thresholdOptions) registerThresholds(flags *pflag.FlagSet, of *thresholdFlags) {
	flags.Var(&of.score, "threshold", "`F` mark pictures with at least this score as anomalous, from 0 to 1")
	flags.Var(&of.pixel, "pixel-threshold", "`F` pixels with at least this map value are anomalous: for regions, outlines and masks")
	flags.StringVar(&o.calibration, "calibration", "", "`FILE` thresholds from acdclip calibrate; without it, those of a file beside the checkpoint are used if they fit")
}

// thresholdFlags are the values of the flags for thresholds.
type thresholdFlags struct{ score, pixel ui.Score }

// takeFlags takes the flags' values.
func (o *thresholdOptions) takeFlags(of thresholdFlags) {
	o.threshold, o.pixelThreshold = of.score.Value, of.pixel.Value
	if o.threshold != nil || o.pixelThreshold != nil {
		o.thresholdsFrom = "the command line"
	}
}

// useCalibration takes the thresholds that no flag gives from --calibration, or from the file
// beside the checkpoint if it was made under the same conditions. Masks need a threshold.
func (o *predictOptions) useCalibration(basis conditions.Record) error {
	c, path, err := o.readCalibration(o.app, o.checkpoint, basis)
	if err != nil {
		return err
	}
	if c != nil {
		o.fill(c, path)
	}
	if o.masks && o.pixelThreshold == nil {
		return errNoPixelThreshold
	}
	return nil
}

// readCalibration reads --calibration, or the file beside the checkpoint if it was made under
// the same conditions, but for those of the names except, and says what it takes from it; nil
// where there is nothing to take.
func (o *thresholdOptions) readCalibration(a *app, checkpoint string, basis conditions.Record, except ...string) (c *calibration.Calibration, path string, err error) {
	path, given := o.calibration, o.calibration != ""
	if !given {
		if path = calibrationBeside(checkpoint); path == "" {
			return nil, "", nil
		}
	}
	c, err = calibration.Read(path)
	switch {
	case !given && errors.Is(err, fs.ErrNotExist):
		return nil, "", nil
	case err == nil:
		err = c.Fits(basis, except...)
	}
	switch {
	case err != nil && given:
		return nil, "", fmt.Errorf("--calibration %s: %w", path, err)
	case err != nil:
		a.emit(events.Warning{Text: fmt.Sprintf("%s is not used: %v", path, err)})
		return nil, "", nil
	}
	var taken []string
	if o.threshold == nil {
		taken = append(taken, fmt.Sprintf("score %v", c.Score.Value))
	}
	if o.pixelThreshold == nil {
		taken = append(taken, fmt.Sprintf("pixels %v", c.Pixel.Value))
	}
	if taken == nil {
		return nil, "", nil
	}
	a.emit(events.Notice{Text: fmt.Sprintf("thresholds from %s: %s (%s, from %d good and %d bad pictures)",
		path, strings.Join(taken, ", "), c.Rule, c.Good, c.Bad)})
	return c, path, nil
}

// fill takes the thresholds that no flag gives from a calibration, which has that name.
func (o *thresholdOptions) fill(c *calibration.Calibration, name string) {
	if o.threshold == nil {
		o.threshold = &c.Score.Value
	}
	if o.pixelThreshold == nil {
		o.pixelThreshold = &c.Pixel.Value
	}
	o.thresholdsFrom = strings.TrimPrefix(o.thresholdsFrom+" and "+name, " and ")
}
