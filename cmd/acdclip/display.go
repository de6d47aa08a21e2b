package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/pflag"

	"acdclip/pkg/events"
)

// logFormat is how events are written.
type logFormat string

const (
	logText logFormat = "text"
	logJSON logFormat = "json"
)

// displayFlags say how much is shown of the work, and how.
type displayFlags struct {
	log     logFormat
	quiet   bool
	verbose bool
}

func (d *displayFlags) register(flags *pflag.FlagSet) {
	d.log = logText
	choiceVar(flags, &d.log, "log", []logFormat{logText, logJSON}, "how progress and messages are written to stderr")
	flags.BoolVarP(&d.quiet, "quiet", "q", false, "show nothing but warnings and errors")
}

// registerVerbose is for verbs with a configuration to tell of.
func (d *displayFlags) registerVerbose(flags *pflag.FlagSet) {
	flags.BoolVar(&d.verbose, "verbose", false, "also show the complete configuration and which libtorch is used")
}

// newDisplay returns what shows events on w: JSON lines, a progress bar on a
// terminal, now and then a plain line elsewhere.
func newDisplay(w io.Writer, terminal bool, flags displayFlags) func(events.Event) {
	var show func(events.Event)
	switch {
	case flags.log == logJSON:
		writer := events.NewWriter(w, time.Now)
		show = func(event events.Event) { _ = writer.Write(event) } // nowhere is left to complain
	case terminal:
		show = (&bars{lines: lines{w: w, now: time.Now}, width: func() int { return terminalWidth(w) }}).show
	default:
		show = (&lines{w: w, now: time.Now}).show
	}
	if !flags.quiet {
		return show
	}
	return func(event events.Event) {
		switch event.(type) {
		case events.Warning, events.Failure:
			show(event)
		}
	}
}

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
			l.print("%s: done, %s in %s", event.Stage, l.at.amount(l.at.Total-l.at.Done), duration(event.Seconds))
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
		l.print("epoch %d of %d: mean loss %s in %s%s", event.Epoch, event.Epochs, describeLoss(event.Loss, event.Parts), duration(event.Seconds), describeSkipped(event.Skipped, event.SkippedSteps))
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
		fmt.Fprintln(l.w, visible(l.opening))
		l.opening = ""
	}
}

func (l *lines) print(format string, values ...any) {
	l.open()
	fmt.Fprintln(l.w, visible(fmt.Sprintf(format, values...)))
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
	return counted(n, one, s.Unit)
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
	return duration(float64(s.Total-done)/s.rate(done, now)) + " left"
}

// describeStep says how a training stands, in whole words and then ever shorter.
func describeStep(step events.TrainStep, left string) []string {
	var rates, shortRates, shortParts []string
	for _, rate := range step.LearningRates {
		rates = append(rates, fmt.Sprintf("%s %.3g", rate.Name, rate.Value))
		shortRates = append(shortRates, fmt.Sprintf("%.2g", rate.Value))
	}
	for _, part := range step.Parts {
		shortParts = append(shortParts, fmt.Sprintf("%.3f", part.Value))
	}
	parts := strings.Join(shortParts, " ")
	return []string{
		fmt.Sprintf("epoch %d, loss %s, learning rates %s, %.1f pictures a second, %s",
			step.Epoch, describeLoss(step.Loss, step.Parts), strings.Join(rates, ", "), step.PicturesPerSecond, left),
		fmt.Sprintf("epoch %d, loss %.4f (%s), rates %s, %.1f pictures/s, %s", step.Epoch, step.Loss, parts, strings.Join(shortRates, " "), step.PicturesPerSecond, left),
		fmt.Sprintf("epoch %d, loss %.3f (%s), lr %s, %.1f/s, %s", step.Epoch, step.Loss, parts, strings.Join(shortRates, " "), step.PicturesPerSecond, left),
		fmt.Sprintf("epoch %d, loss %.3f (%s), %.1f/s, %s", step.Epoch, step.Loss, parts, step.PicturesPerSecond, left),
		fmt.Sprintf("loss %.3f, %s", step.Loss, left),
	}
}

// describeLoss is "1.2345 (focal 0.1000, dice 0.9000)".
func describeLoss(loss float64, parts events.Values) string {
	terms := make([]string, len(parts))
	for i, part := range parts {
		terms[i] = fmt.Sprintf("%s %.4f", part.Name, part.Value)
	}
	return fmt.Sprintf("%.4f (%s)", loss, strings.Join(terms, ", "))
}

// describeValidation says what was measured on what was held out, in percent.
func describeValidation(v events.Validation) string {
	percent := func(fraction *float64) string {
		if fraction == nil {
			return "n/a"
		}
		return fmt.Sprintf("%.2f", 100**fraction)
	}
	best := ""
	if v.Best {
		best = ", the best so far"
	}
	return fmt.Sprintf("epoch %d on held-out %s: image AUROC %s, pixel AUROC %s, mean %s in %s%s%s",
		v.Epoch, few(v.HeldOut), percent(v.ImageAUROC), percent(v.PixelAUROC), percent(v.Mean), duration(v.Seconds), describeSkipped(v.Skipped, 0), best)
}

// describeCosts says what an evaluation spent its time on.
func describeCosts(c events.Costs) string {
	return fmt.Sprintf("of %s the model took %s and waited %s for pictures; beside it, reading them took %s and metrics %s",
		duration(c.Total), duration(c.Model), duration(c.Waiting), duration(c.Reading), duration(c.Metrics))
}

// describeSkipped is ", 3 pictures and 1 step left out", or nothing.
func describeSkipped(pictures, steps int) string {
	var list []string
	if pictures > 0 {
		list = append(list, counted(pictures, "picture", "pictures"))
	}
	if steps > 0 {
		list = append(list, counted(steps, "step", "steps"))
	}
	if list == nil {
		return ""
	}
	return ", " + strings.Join(list, " and ") + " left out"
}
