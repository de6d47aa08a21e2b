package calibration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"acdclip/pkg/conditions"
	"acdclip/pkg/regularfile"
)

// Calibration is the content of a calibration file.
type Calibration struct {
	Version string    `json:"version"` // of acdclip
	Created time.Time `json:"created"`
	Rule    string    `json:"rule"`  // how the thresholds were chosen, in words
	Good    int       `json:"good"`  // pictures
	Bad     int       `json:"bad"`   // pictures
	Score   Threshold `json:"score"` // of image scores
	Pixel   Threshold `json:"pixel"` // of anomaly maps: a picture reaches it where its map's largest value does

	Conditions conditions.Record `json:"conditions"` // what the scores depend on
}

// ErrOtherConditions reports a calibration that was made under other conditions.
var ErrOtherConditions = errors.New("the calibration was made under other conditions")

// ErrMalformed reports a file that is no calibration.
var ErrMalformed = errors.New("not a calibration file")

// Fits returns an error that wraps ErrOtherConditions and lists the differences if scores
// under these conditions cannot be compared with the calibration's.
func (c *Calibration) Fits(asked conditions.Record, except ...string) error {
	had := c.Conditions.Only(conditions.Numbers)
	for _, name := range except {
		had, asked = had.Without(name), asked.Without(name)
	}
	if err := had.Compare(asked.Only(conditions.Numbers)); err != nil {
		return fmt.Errorf("%w: %w", ErrOtherConditions, err)
	}
	return nil
}

// WriteJSON writes the calibration as indented JSON.
func (c *Calibration) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(c)
}

// Read reads a calibration file. Its errors name the path, and wrap ErrMalformed or the file
// system's error.
func Read(path string) (*Calibration, error) {
	const largest = 1 << 20 // bytes
	content, err := regularfile.Head(path, largest+1)
	if err != nil {
		return nil, err
	}
	if len(content) > largest {
		return nil, fmt.Errorf("%s: %w: it is larger than %d bytes", path, ErrMalformed, largest)
	}
	c, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, ErrMalformed, err)
	}
	return c, nil
}

func parse(content []byte) (*Calibration, error) {
	var c Calibration
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return nil, err
	}
	if len(c.Conditions) == 0 {
		return nil, errors.New("it has no conditions")
	}
	for name, t := range map[string]float32{"score": c.Score.Value, "pixel": c.Pixel.Value} {
		if !(t >= 0 && t <= 1) {
			return nil, fmt.Errorf("%s: the threshold %v is not between 0 and 1", name, t)
		}
	}
	return &c, nil
}

// Beside returns the path of the calibration file that belongs to a checkpoint's file:
// run/last.calibration.json for run/last.safetensors.
func Beside(checkpoint string) string {
	return strings.TrimSuffix(checkpoint, filepath.Ext(checkpoint)) + ".calibration.json"
}
