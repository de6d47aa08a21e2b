// Package parity compares the scores and maps that a model gives in one number format with
// those that it gives in float32. It is pure Go: the caller scores.
package parity

import (
	"errors"
	"fmt"
	"math"

	"acdclip/pkg/metrics"
)

// The bounds of Result.Within.
const (
	// MostMapMean is the largest mean difference of maps, over all pixels.
	MostMapMean = 0.02
	// MostPoints is the largest change of the image AUROC, in points (hundredths).
	MostPoints = 0.5
)

// Output is what a model gives for one picture.
type Output struct {
	Score         float32   // in [0, 1]
	Map           []float32 // [Height, Width], in [0, 1]
	Width, Height int
}

// Truth is what is known about a picture.
type Truth struct {
	Labelled, Anomalous bool
	Masked              bool    // the label of each pixel is known
	Mask                []uint8 // [Height, Width]; 0 is normal; nil if all pixels are
}

// Comparison collects the outputs for pictures in float32 and in another format. The caller
// closes it.
type Comparison struct {
	precision             string
	single, other         []float32 // image scores
	labelSingle, labelled []float32 // those of labelled pictures
	labels                []bool
	pixels                [2]*metrics.Pixels // float32, the other; nil until there is a mask
	memory                int64
	sum, largest          float64 // of the maps' differences
	count                 int     // pixels
}

// New returns an empty comparison of a format; memory bounds what pixel metrics keep, in
// bytes.
func New(precision string, memory int64) *Comparison {
	return &Comparison{precision: precision, memory: memory}
}

// Add adds the outputs for a picture in float32 and in the other format.
func (c *Comparison) Add(single, other Output, truth Truth) error {
	if len(single.Map) != len(other.Map) || single.Width != other.Width || single.Height != other.Height {
		return fmt.Errorf("a map has %d x %d values in float32, but %d x %d in %s", single.Width, single.Height, other.Width, other.Height, c.precision)
	}
	c.single, c.other = append(c.single, single.Score), append(c.other, other.Score)
	for i, value := range single.Map {
		difference := math.Abs(float64(other.Map[i]) - float64(value))
		c.sum += difference
		c.largest = max(c.largest, difference)
	}
	c.count += len(single.Map)
	if truth.Labelled {
		c.labelSingle, c.labelled, c.labels = append(c.labelSingle, single.Score), append(c.labelled, other.Score), append(c.labels, truth.Anomalous)
	}
	if !truth.Masked {
		return nil
	}
	for i, output := range []Output{single, other} {
		if c.pixels[i] == nil {
			var err error
			if c.pixels[i], err = metrics.NewPixels(metrics.Options{Memory: c.memory / 2}); err != nil {
				return err
			}
		}
		if err := c.pixels[i].Add(output.Map, truth.Mask, output.Width, output.Height); err != nil {
			return err
		}
	}
	return nil
}

// Close frees what was collected.
func (c *Comparison) Close() error {
	var err error
	for _, pixels := range c.pixels {
		if pixels != nil {
			err = errors.Join(err, pixels.Close())
		}
	}
	return err
}

// Result is how far a format departs from float32.
type Result struct {
	Precision    string   `json:"precision"`
	Pictures     int      `json:"pictures"`
	MapMean      float64  `json:"map_mean_difference"` // absolute, over all pixels
	MapLargest   float64  `json:"map_largest_difference"`
	ScoreMean    float64  `json:"score_mean_difference"` // absolute, of image scores
	ScoreLargest float64  `json:"score_largest_difference"`
	Spearman     *float64 `json:"rank_correlation"` // Spearman's, of image scores; nil if all are equal
	ImageAUROC   *Change  `json:"image_auroc"`      // over all labelled pictures together; nil without both labels
	PixelAUROC   *Change  `json:"pixel_auroc"`      // over all pixels together; nil without masks
	Within       bool     `json:"within_bounds"`    // of MostMapMean and MostPoints
}

// Change is a metric in both formats, as fractions.
type Change struct {
	Single float64 `json:"fp32"`
	Other  float64 `json:"other"`
	Points float64 `json:"points"` // by how many hundredths the other is higher
}

func changed(single, other float64) *Change {
	return &Change{single, other, 100 * (other - single)}
}

// Result computes the comparison of the pictures that were added, at least one.
func (c *Comparison) Result() (Result, error) {
	r := Result{Precision: c.precision, Pictures: len(c.single), MapMean: c.sum / float64(c.count), MapLargest: c.largest}
	for i, score := range c.single {
		difference := math.Abs(float64(c.other[i]) - float64(score))
		r.ScoreMean += difference / float64(len(c.single))
		r.ScoreLargest = max(r.ScoreLargest, difference)
	}
	if correlation, defined := Spearman(c.single, c.other); defined {
		r.Spearman = &correlation
	}
	var err error
	if r.ImageAUROC, err = c.images(); err != nil {
		return r, err
	}
	if r.PixelAUROC, err = c.pixelChange(); err != nil {
		return r, err
	}
	r.Within = len(r.Missed()) == 0
	return r, nil
}

// Missed names the metrics that miss their bounds.
func (r Result) Missed() []string {
	var missed []string
	if !(r.MapMean <= MostMapMean) {
		missed = append(missed, "maps")
	}
	if r.ImageAUROC != nil && !(math.Abs(r.ImageAUROC.Points) <= MostPoints) {
		missed = append(missed, "the image AUROC")
	}
	return missed
}

// images compares the image AUROC; nil if it is not defined.
func (c *Comparison) images() (*Change, error) {
	if len(c.labels) == 0 {
		return nil, nil
	}
	single, err := metrics.Rank(c.labelSingle, c.labels)
	if errors.Is(err, metrics.ErrOneClass) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	other, err := metrics.Rank(c.labelled, c.labels)
	return changed(single.AUROC, other.AUROC), err
}

// pixelChange compares the pixel AUROC; nil if it is not defined.
func (c *Comparison) pixelChange() (*Change, error) {
	var found [2]float64
	for i, pixels := range c.pixels {
		if pixels == nil {
			return nil, nil
		}
		summary, err := pixels.Summary()
		if errors.Is(err, metrics.ErrOneClass) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		found[i] = summary.AUROC
	}
	return changed(found[0], found[1]), nil
}
