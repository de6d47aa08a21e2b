package ui

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"acdclip/pkg/events"
	"acdclip/pkg/plural"
)

// lines shows events as plain lines: the start and end of stages, and the progress every
// few seconds.
type lines struct {
	w     io.Writer
	now   func() time.Time
	at    stage
	outer *stage    // the stage that contains the current one; nil for none
	last  time.Time // time of the last line about the stage

	opening string // the first line of a stage, until it is printed; "" for none
}

// stage is the current work.
type stage struct {
	events.StageStarted
	begun time.Time
	bar   *progressbar.ProgressBar // on a terminal, until the stage ends
}

const (
	lineEvery = 10 * time.Second // minimum time between two progress lines of a stage
	instant   = time.Second      // shorter stages have only their last line
)

func (l *lines) show(event events.Event) {
	switch event := event.(type) {
	case events.StageStarted:
		l.open()
		if l.begin(event); l.outer == nil {
			l.opening = fmt.Sprintf("%s: %s%s", event.Stage, l.at.amount(l.at.Total), l.at.before())
		}
		if event.Unit == events.UnitSteps { // the first step may take long
			l.open()
		}
	case events.Progress:
		if l.now().Sub(l.at.begun) >= instant {
			l.open()
		}
		if l.due() && event.Done < event.Total {
			l.print("%s: %d of %s%s, %s", event.Stage, event.Done, l.at.amount(l.at.Total), inBrackets(event.Detail), l.at.pace(event.Done, l.now()))
		}
	case events.TrainStep:
		if l.due() && event.Step < event.Steps {
			l.print("%s: step %d of %d, %s", l.at.Stage, event.Step, event.Steps, describeStep(event, l.at.left(event.Step, l.now()))[0])
		}
	case events.StageDone:
		if event.Seconds < instant.Seconds() {
			l.opening = ""
		}
		if l.outer == nil { // the result of an inner stage has its own message
			l.print("%s: done, %s in %s", event.Stage, l.at.amount(l.at.Total-l.at.Done), Duration(event.Seconds))
		}
		l.end()
	default:
		l.message(event)
	}
}

// begin starts a stage.
func (l *lines) begin(event events.StageStarted) {
	outer := l.at
	l.outer, l.at, l.last = nil, stage{StageStarted: event, begun: l.now()}, l.now()
	if event.Within != "" && event.Within == outer.Stage {
		l.outer = &outer
	}
}

// end returns to the outer stage, if there is one.
func (l *lines) end() {
	l.at.bar = nil
	if l.outer != nil {
		l.at, l.outer = *l.outer, nil
	}
}

// message shows an event that is a separate line on all displays.
func (l *lines) message(event events.Event) {
	switch event := event.(type) {
	case events.TrainEpoch:
		l.print("epoch %d of %d: mean loss %s in %s%s", event.Epoch, event.Epochs, describeLoss(event.Loss, event.Parts), Duration(event.Seconds), describeSkipped(event.Skipped, event.SkippedSteps))
	case events.Validation:
		l.print("%s", describeValidation(event))
	case events.Costs:
		l.print("%s", describeCosts(event))
	case events.Notice:
		l.print("%s", event.Text)
	case events.Warning:
		l.print("warning: %s", event.Text)
	case events.Failure:
		l.print("acdclip: %s", event.Text)
	}
}

// open prints the first line of the stage, if it was not printed yet.
func (l *lines) open() {
	if l.opening != "" {
		fmt.Fprintln(l.w, Visible(l.opening))
		l.opening = ""
	}
}

func (l *lines) print(format string, values ...any) {
	l.open()
	fmt.Fprintln(l.w, Visible(fmt.Sprintf(format, values...)))
}

// due reports whether it is time for a progress line, and if so marks it as printed.
func (l *lines) due() bool {
	if l.now().Sub(l.last) < lineEvery {
		return false
	}
	l.last = l.now()
	return true
}

// amount returns a text such as "360 pictures".
func (s stage) amount(n int) string {
	one := strings.TrimSuffix(s.Unit, "s")
	if s.Unit == "classes" {
		one = "class"
	}
	return plural.Of(n, one, s.Unit)
}

// before returns a text such as ", 20 done before", or "".
func (s stage) before() string {
	if s.Done == 0 {
		return ""
	}
	return fmt.Sprintf(", %d done before", s.Done)
}

// pace describes the stage's rate and its remaining time.
func (s stage) pace(done int, now time.Time) string {
	return fmt.Sprintf("%.1f %s a second, %s", s.rate(done, now), s.Unit, s.left(done, now))
}

// rate returns the units done per second, without those done before a resume.
func (s stage) rate(done int, now time.Time) float64 {
	return float64(done-s.Done) / now.Sub(s.begun).Seconds()
}

// left describes the stage's remaining time.
func (s stage) left(done int, now time.Time) string {
	return Duration(float64(s.Total-done)/s.rate(done, now)) + " left"
}
