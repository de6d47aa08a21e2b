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

// lines shows events as plain lines: what begins and ends, and how far it has
// come every few seconds.
type lines struct {
	w     io.Writer
	now   func() time.Time
	at    stage
	outer *stage    // that waits for the one under way; nil for none
	last  time.Time // of the last line about the stage

	opening string // the line that a stage begins with, until it is due; "" for none
}

// stage is the work under way.
type stage struct {
	events.StageStarted
	begun time.Time
	bar   *progressbar.ProgressBar // on a terminal, until the stage has ended
}

const (
	lineEvery = 10 * time.Second // the least time between two lines about one stage's progress
	instant   = time.Second      // a stage that takes less has only its last line
)

func (l *lines) show(event events.Event) {
	switch event := event.(type) {
	case events.StageStarted:
		l.open()
		if l.begin(event); l.outer == nil {
			l.opening = fmt.Sprintf("%s: %s%s", event.Stage, l.at.amount(l.at.Total), l.at.before())
		}
		if event.Unit == events.UnitSteps { // the first may take long
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
		if l.outer == nil { // what one within another comes to is a message of its own
			l.print("%s: done, %s in %s", event.Stage, l.at.amount(l.at.Total-l.at.Done), Duration(event.Seconds))
		}
		l.end()
	default:
		l.message(event)
	}
}

// begin makes a stage the one under way.
func (l *lines) begin(event events.StageStarted) {
	outer := l.at
	l.outer, l.at, l.last = nil, stage{StageStarted: event, begun: l.now()}, l.now()
	if event.Within != "" && event.Within == outer.Stage {
		l.outer = &outer
	}
}

// end goes back to the stage that waits, if there is one.
func (l *lines) end() {
	l.at.bar = nil
	if l.outer != nil {
		l.at, l.outer = *l.outer, nil
	}
}

// message shows what is a line of its own on any display.
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

// open prints the line that the stage begins with, where that has not been done.
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

// due says whether it is time for a line about the progress, and counts it as written.
func (l *lines) due() bool {
	if l.now().Sub(l.last) < lineEvery {
		return false
	}
	l.last = l.now()
	return true
}

// amount is "360 pictures".
func (s stage) amount(n int) string {
	one := strings.TrimSuffix(s.Unit, "s")
	if s.Unit == "classes" {
		one = "class"
	}
	return plural.Of(n, one, s.Unit)
}

// before is ", 20 done before", or nothing.
func (s stage) before() string {
	if s.Done == 0 {
		return ""
	}
	return fmt.Sprintf(", %d done before", s.Done)
}

// pace says how fast the stage goes and how long it still takes.
func (s stage) pace(done int, now time.Time) string {
	return fmt.Sprintf("%.1f %s a second, %s", s.rate(done, now), s.Unit, s.left(done, now))
}

// rate is what is done in a second. What was done before counts for nothing.
func (s stage) rate(done int, now time.Time) float64 {
	return float64(done-s.Done) / now.Sub(s.begun).Seconds()
}

// left is how long the stage still takes.
func (s stage) left(done int, now time.Time) string {
	return Duration(float64(s.Total-done)/s.rate(done, now)) + " left"
}
