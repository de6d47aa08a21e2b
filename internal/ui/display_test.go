package ui

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"acdclip/pkg/events"
)

// newLines returns plain lines with a clock that only wait advances.
func newLines() (l *lines, out *bytes.Buffer, wait func(time.Duration)) {
	out = new(bytes.Buffer)
	now := time.Unix(0, 0)
	return &lines{w: out, now: func() time.Time { return now }}, out, func(d time.Duration) { now = now.Add(d) }
}

// newBars is like newLines for bars on a terminal.
func newBars(width int) (b *bars, out *bytes.Buffer, wait func(time.Duration)) {
	l, out, wait := newLines()
	return &bars{lines: *l, width: func() int { return width }}, out, wait
}

// work is a stage of 60 pictures, one a second, with a warning in the middle.
func work(show func(events.Event), tick func()) {
	show(events.StageStarted{Stage: "predict", Unit: "pictures", Total: 60})
	for done := 1; done <= 60; done++ {
		tick()
		if done == 30 {
			show(events.Warning{Text: "bad\x1b[31m\nname"})
		}
		show(events.Progress{Stage: "predict", Done: done, Total: 60})
	}
	show(events.StageDone{Stage: "predict", Seconds: 60})
}

func TestLines(t *testing.T) {
	l, out, wait := newLines()
	work(l.show, func() { wait(time.Second) })
	want := `predict: 60 pictures
predict: 10 of 60 pictures, 1.0 pictures a second, 50 s left
predict: 20 of 60 pictures, 1.0 pictures a second, 40 s left
warning: bad\x1b[31m\nname
predict: 30 of 60 pictures, 1.0 pictures a second, 30 s left
predict: 40 of 60 pictures, 1.0 pictures a second, 20 s left
predict: 50 of 60 pictures, 1.0 pictures a second, 10 s left
predict: done, 60 pictures in 1 min 0 s
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestLinesOfTraining(t *testing.T) {
	l, out, wait := newLines()
	l.show(events.StageStarted{Stage: "train on bolts", Unit: events.UnitSteps, Total: 40})
	wait(20 * time.Second)
	l.show(events.TrainStep{
		Epoch: 1, Step: 10, Steps: 40, Loss: 1.5, Parts: events.Values{{Name: "focal", Value: 0.5}, {Name: "dice", Value: 1}},
		LearningRates: events.Values{{Name: "text", Value: 5e-4}, {Name: "vision", Value: 1e-3}}, PicturesPerSecond: 2.5,
	})
	l.show(events.TrainStep{Epoch: 1, Step: 11, Steps: 40, Loss: 1.4})
	l.show(events.TrainEpoch{Epoch: 1, Epochs: 2, Loss: 1.25, Parts: events.Values{{Name: "focal", Value: 0.5}}, Seconds: 40})
	want := `train on bolts: 40 steps
train on bolts: step 10 of 40, epoch 1, loss 1.5000 (focal 0.5000, dice 1.0000), learning rates text 0.0005, vision 0.001, 2.5 pictures a second, 1 min 0 s left
epoch 1 of 2: mean loss 1.2500 (focal 0.5000) in 40 s
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestLinesOfInstantStages: a stage that ends at once has one line, unless other lines come before its end.
func TestLinesOfInstantStages(t *testing.T) {
	l, out, wait := newLines()
	stage := func(name string, took time.Duration, inside ...events.Event) {
		l.show(events.StageStarted{Stage: name, Unit: "files", Total: 2})
		l.show(events.Progress{Stage: name, Done: 1, Total: 2})
		for _, event := range inside {
			l.show(event)
		}
		wait(took)
		l.show(events.Progress{Stage: name, Done: 2, Total: 2})
		l.show(events.StageDone{Stage: name, Seconds: took.Seconds()})
	}
	stage("read", 900*time.Millisecond)
	stage("read on", time.Second)
	stage("read badly", 0, events.Warning{Text: "a.png is damaged"})
	l.show(events.StageStarted{Stage: "fail", Unit: "files", Total: 2})
	l.show(events.Failure{Text: "disk full"})
	want := `read: done, 2 files in 0.9 s
read on: 2 files
read on: done, 2 files in 1.0 s
read badly: 2 files
warning: a.png is damaged
read badly: done, 2 files in 0.0 s
fail: 2 files
acdclip: disk full
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestLinesOfResumedTraining: work done before a resume does not count for the rate.
func TestLinesOfResumedTraining(t *testing.T) {
	l, out, wait := newLines()
	l.show(events.StageStarted{Stage: "train on bolts", Unit: events.UnitSteps, Total: 40, Done: 20})
	wait(20 * time.Second)
	l.show(events.TrainStep{Epoch: 1, Step: 30, Steps: 40, Loss: 1.5, LearningRates: events.Values{{Name: "text", Value: 1}}, PicturesPerSecond: 2.5})
	l.show(events.TrainEpoch{Epoch: 1, Epochs: 2, Loss: 1.25, Skipped: 3, SkippedSteps: 1, Seconds: 40})
	l.show(events.StageDone{Stage: "train on bolts", Seconds: 40})
	want := `train on bolts: 40 steps, 20 done before
train on bolts: step 30 of 40, epoch 1, loss 1.5000 (), learning rates text 1, 2.5 pictures a second, 20 s left
epoch 1 of 2: mean loss 1.2500 () in 40 s, 3 pictures and 1 step skipped
train on bolts: done, 20 steps in 40 s
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestBars(t *testing.T) {
	b, out, wait := newBars(80)
	work(b.show, func() { wait(time.Second) })
	b.show(events.Failure{Text: "disk full"})
	text := out.String()
	for _, want := range []string{"\r", "predict", "(0/60", "warning: bad\\x1b[31m\\nname\n", "predict: done, 60 pictures in 1 min 0 s\n", "acdclip: disk full\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %q", want, text)
		}
	}
	// Text starts on a cleared line.
	if !strings.Contains(text, "\x1b[2K\rwarning:") {
		t.Errorf("the bar was not cleared before the warning: %q", text)
	}
}

// TestBarsOfTraining: the description of a step fits on one line of the terminal.
func TestBarsOfTraining(t *testing.T) {
	step := events.TrainStep{
		Epoch: 12, Step: 30, Steps: 40, Loss: 1.5, Parts: events.Values{{Name: "classification", Value: 0.25}, {Name: "focal", Value: 0.25}, {Name: "dice", Value: 1}},
		LearningRates: events.Values{{Name: "text", Value: 4.05e-4}, {Name: "vision", Value: 8.1e-4}}, PicturesPerSecond: 12.25,
	}
	for width, want := range map[int]string{
		200: "epoch 12, loss 1.5000 (classification 0.2500, focal 0.2500, dice 1.0000), learning rates text 0.000405, vision 0.00081, 12.2 pictures a second, 20 s left",
		120: "epoch 12, loss 1.5000 (0.250 0.250 1.000), rates 0.0004 0.00081, 12.2 pictures/s, 20 s left",
		100: "epoch 12, loss 1.500 (0.250 0.250 1.000), lr 0.0004 0.00081, 12.2/s, 20 s left",
		80:  "epoch 12, loss 1.500 (0.250 0.250 1.000), 12.2/s, 20 s left",
		40:  "loss 1.500, 20 s left",
	} {
		b, out, wait := newBars(width)
		b.show(events.StageStarted{Stage: "train", Unit: events.UnitSteps, Total: 40, Done: 20})
		wait(20 * time.Second)
		b.show(step)
		drawn := out.String()[strings.LastIndex(out.String(), "\r")+1:]
		drawn = strings.TrimSpace(strings.TrimSuffix(drawn, "\x1b[0K"))
		if !strings.HasPrefix(drawn, want+"  75% |") || utf8.RuneCountInString(drawn) > width {
			t.Errorf("%d columns: %q", width, drawn)
		}
	}
}

// validated is a training of two steps with a validation of 60 pictures, one a second, between them.
func validated(show func(events.Event), tick func()) {
	step := events.TrainStep{Epoch: 1, Step: 1, Steps: 2, Loss: 1.5}
	show(events.StageStarted{Stage: "train on bolts", Unit: events.UnitSteps, Total: 2})
	show(step)
	show(events.StageStarted{Stage: "validate on bolts", Unit: "pictures", Total: 60, Within: "train on bolts"})
	for done := 1; done <= 60; done++ {
		tick()
		show(events.Progress{Stage: "validate on bolts", Done: done, Total: 60})
	}
	show(events.StageDone{Stage: "validate on bolts", Seconds: 60})
	half := 0.5
	show(events.Validation{Epoch: 1, HeldOut: []string{"hex"}, ImageAUROC: &half, PixelAUROC: &half, Mean: &half, Best: true, Skipped: 2, Seconds: 60})
	step.Step, step.Epoch = 2, 2
	show(step)
	show(events.StageDone{Stage: "train on bolts", Seconds: 60})
}

// TestLinesOfValidation: progress lines are shown, and one line with the result.
func TestLinesOfValidation(t *testing.T) {
	l, out, wait := newLines()
	validated(l.show, func() { wait(time.Second) })
	want := `train on bolts: 2 steps
validate on bolts: 10 of 60 pictures, 1.0 pictures a second, 50 s left
validate on bolts: 20 of 60 pictures, 1.0 pictures a second, 40 s left
validate on bolts: 30 of 60 pictures, 1.0 pictures a second, 30 s left
validate on bolts: 40 of 60 pictures, 1.0 pictures a second, 20 s left
validate on bolts: 50 of 60 pictures, 1.0 pictures a second, 10 s left
epoch 1 on held-out hex: image AUROC 50.00, pixel AUROC 50.00, mean 50.00 in 1 min 0 s, 2 pictures skipped, the best so far
train on bolts: done, 2 steps in 1 min 0 s
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestBarsOfValidation: its bar replaces the training's bar, which comes back afterwards.
func TestBarsOfValidation(t *testing.T) {
	b, out, wait := newBars(80)
	validated(b.show, func() { wait(time.Second) })
	text := out.String()
	before, during, found := strings.Cut(text, "\x1b[2K\r\rvalidate on bolts")
	during, after, ended := strings.Cut(during, "\x1b[2K\repoch 1 on held-out hex")
	if !found || !ended || !strings.Contains(before, "loss 1.500") || !strings.Contains(during, "(0/60, ") || strings.Contains(after, "validate") ||
		!strings.Contains(during, "\x1b[2K\r\repoch 1, loss 1.500") || !strings.Contains(after, "epoch 2, loss 1.500") || !strings.HasSuffix(after, "train on bolts: done, 2 steps in 1 min 0 s\n") {
		t.Errorf("got %q", text)
	}
}

func TestQuietAndJSON(t *testing.T) {
	for _, c := range []struct {
		options Options
		lines   int
		holds   string
	}{
		{Options{Quiet: true}, 1, `warning: bad\x1b[31m\nname`},
		{Options{Format: JSON, Quiet: true}, 1, `"event":"warning"`},
		{Options{Format: JSON}, 63, `"event":"progress"`},
	} {
		var out bytes.Buffer
		work(shown(&out, true, c.options), func() {})
		if got := strings.Count(out.String(), "\n"); got != c.lines || !strings.Contains(out.String(), c.holds) {
			t.Errorf("%+v: %d lines, want %d with %q: %q", c.options, got, c.lines, c.holds, out.String())
		}
	}
}
