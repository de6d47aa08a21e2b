// Package chart draws charts: the loss and the validation of a training, and the
// weights of the fusion gateway.
package chart

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"acdclip/pkg/events"
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
		event, err := events.Read(scanner.Bytes())
		if err != nil {
			if !errors.Is(err, events.ErrUnknown) {
				torn = fmt.Errorf("line %d is no event: %w", number, err)
			}
			continue
		}
		if err := run.add(event); err != nil {
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

// add takes one event over. What is told of an epoch stands at the last step before it.
func (r *reader) add(event events.Event) error {
	switch event := event.(type) {
	case events.TrainStep:
		return r.addStep(event)
	case events.TrainEpoch:
		return r.addEpoch(event)
	case events.Validation:
		r.addValidation(event)
	}
	return nil
}

func (r *reader) addStep(step events.TrainStep) error {
	if step.Step <= r.step || step.Step > maxSteps {
		return fmt.Errorf("step %d after step %d", step.Step, r.step)
	}
	if err := drawable(step.Loss); err != nil {
		return err
	}
	r.step = step.Step
	r.Steps = append(r.Steps, Point{step.Step, step.Loss})
	return nil
}

func (r *reader) addEpoch(epoch events.TrainEpoch) error {
	if err := drawable(epoch.Loss); err != nil {
		return err
	}
	r.Epochs = epoch.Epoch
	r.Loss.Points = append(r.Loss.Points, Point{r.step, epoch.Loss})
	for _, part := range epoch.Parts {
		if err := drawable(part.Value); err != nil {
			return err
		}
		r.Parts = addTo(r.Parts, part.Name, Point{r.step, part.Value})
	}
	return nil
}

func (r *reader) addValidation(v events.Validation) {
	for _, metric := range []struct {
		name  string
		value *float64
	}{{"image AUROC", v.ImageAUROC}, {"pixel AUROC", v.PixelAUROC}, {"mean", v.Mean}} {
		if metric.value != nil && drawable(*metric.value) == nil {
			r.Validation = addTo(r.Validation, metric.name, Point{r.step, *metric.value})
		}
	}
	if v.Best {
		r.Best = r.step
	}
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
