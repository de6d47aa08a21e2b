// Package chart draws charts: the loss and the validation of a training, and the
// weights of the fusion gateway.
package chart

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"acdclip/pkg/report"
)

// ErrNoSteps reports a log without a training step.
var ErrNoSteps = errors.New("no training step is logged yet")

// Point is a value after a number of steps.
type Point struct {
	Step  int
	Value float64
}

// Curve is a named value over the training.
type Curve struct {
	Name   string
	Points []Point
}

// Run is what a run's log.jsonl tells.
type Run struct {
	Steps      []Point // loss of each step
	Loss       Curve   // mean loss of each epoch
	Parts      []Curve // mean of each of its parts, not weighted
	Validation []Curve // image AUROC, pixel AUROC and their mean on what is held out; none without validation
	Best       int     // step at the end of the epoch with the best validation; 0 without
	Epochs     int     // that are finished
}

// line is any line of log.jsonl.
type line struct {
	Event string `json:"event"`
	report.TrainStep
	MeanLoss  *float64      `json:"mean_loss"`
	MeanParts report.Values `json:"mean_parts"`

	ImageAUROC *float64 `json:"image_auroc"`
	PixelAUROC *float64 `json:"pixel_auroc"`
	Mean       *float64 `json:"mean"`
	Best       bool     `json:"best"`
}

// reader is a Run as far as it has been read.
type reader struct {
	Run
	step int // the last one
}

// Read reads log.jsonl. A last line that was cut off while it was written is left
// out, any other damage is an error with its line. Events that are no curve's are skipped.
func Read(r io.Reader) (*Run, error) {
	run := &reader{Run: Run{Loss: Curve{Name: "loss"}}}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	var torn error
	for number := 1; scanner.Scan(); number++ {
		if torn != nil {
			return nil, torn
		}
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			torn = fmt.Errorf("line %d is no event: %w", number, err)
			continue
		}
		if err := run.add(l); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	if len(run.Steps) == 0 {
		return nil, ErrNoSteps
	}
	return &run.Run, nil
}

// add takes one line over. What is told of an epoch stands at the last step before it.
func (r *reader) add(l line) error {
	switch l.Event {
	case "step":
		if l.Step <= r.step || l.Step > maxSteps {
			return fmt.Errorf("step %d after step %d", l.Step, r.step)
		}
		if err := drawable(l.Loss); err != nil {
			return err
		}
		r.step = l.Step
		r.Steps = append(r.Steps, Point{l.Step, l.Loss})
	case "epoch":
		if l.MeanLoss == nil {
			return nil
		}
		if err := drawable(*l.MeanLoss); err != nil {
			return err
		}
		r.Epochs = l.Epoch
		r.Loss.Points = append(r.Loss.Points, Point{r.step, *l.MeanLoss})
		for _, part := range l.MeanParts {
			if err := drawable(part.Value); err != nil {
				return err
			}
			r.Parts = addTo(r.Parts, part.Name, Point{r.step, part.Value})
		}
	case "validation":
		for _, value := range []struct {
			name  string
			value *float64
		}{{"image AUROC", l.ImageAUROC}, {"pixel AUROC", l.PixelAUROC}, {"mean", l.Mean}} {
			if value.value != nil && drawable(*value.value) == nil {
				r.Validation = addTo(r.Validation, value.name, Point{r.step, *value.value})
			}
		}
		if l.Best {
			r.Best = r.step
		}
	}
	return nil
}

const (
	maxSteps = 1 << 40
	largest  = 1e100 // beyond it, axes find no ticks
)

func drawable(value float64) error {
	if math.Abs(value) > largest {
		return fmt.Errorf("%g is too large to be drawn", value)
	}
	return nil
}

// addTo appends a point to the curve of that name.
func addTo(curves []Curve, name string, p Point) []Curve {
	at := slices.IndexFunc(curves, func(c Curve) bool { return c.Name == name })
	if at < 0 {
		return append(curves, Curve{name, []Point{p}})
	}
	curves[at].Points = append(curves[at].Points, p)
	return curves
}
