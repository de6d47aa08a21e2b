// Package chart draws charts: the loss and validation of a training run, and the weights
// of the fusion gateway.
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
var ErrNoSteps = errors.New("the log has no training step yet")

// Point is a value after a number of steps.
type Point struct {
	Step  int
	Value float64
}

// Curve is a named value over the training steps.
type Curve struct {
	Name   string
	Points []Point
}

// Run is the content of a run's log.jsonl.
type Run struct {
	Steps      []Point // loss of each step
	Loss       Curve   // mean loss of each epoch
	Parts      []Curve // unweighted mean of each part of the loss per epoch
	Validation []Curve // image AUROC, pixel AUROC and their mean on held-out pictures; empty without validation
	Best       int     // last step of the epoch with the best validation; 0 without validation
	Epochs     int     // number of finished epochs
}

// reader is a partly read Run.
type reader struct {
	Run
	step int // the last step
}

// Read reads log.jsonl. It ignores an incomplete last line, and events without data for
// curves; other damage is an error with the line number.
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
				torn = fmt.Errorf("line %d is not an event: %w", number, err)
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

// add adds one event. The values of an epoch are at the last step before the event.
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
	largest  = 1e100 // axes fail to compute ticks for larger values
)

func drawable(value float64) error {
	if math.Abs(value) > largest {
		return fmt.Errorf("%g is too large to draw", value)
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
