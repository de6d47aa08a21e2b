package ui

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"acdclip/pkg/events"
)

// bars shows a stage as a progress bar on a terminal, and messages as lines above it.
type bars struct {
	lines
	width func() int // width of the terminal in columns
}

// terminalWidth returns the width of the terminal w in columns, or a default.
func terminalWidth(w io.Writer) int {
	if file, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// Errors of the bar mean that the terminal is gone, so they are ignored.
func (b *bars) show(event events.Event) {
	switch event := event.(type) {
	case events.StageStarted:
		b.clear()
		b.begin(event)
		b.at.bar = progressbar.NewOptions(event.Total, b.look(event)...)
		b.move(event.Done)
	case events.Progress:
		b.move(event.Done)
	case events.TrainStep:
		b.move(event.Step)
		if b.at.bar != nil {
			b.at.bar.Describe(fitting(b.width()-stepBarWidth, describeStep(event, b.at.left(event.Step, b.now()))))
		}
	case events.StageDone:
		b.clear()
		b.lines.show(event)
		b.draw()
	default:
		b.clear()
		b.message(event)
		if _, end := event.(events.Failure); !end {
			b.draw()
		}
	}
}

// stepBarWidth is the width of " 100% |##########| " beside the description of a training step.
const stepBarWidth = 20

// look returns the options of a stage's bar. That of training shows a description instead
// of counts, and is updated at each step.
func (b *bars) look(event events.StageStarted) []progressbar.Option {
	options := []progressbar.Option{
		progressbar.OptionSetWriter(b.w), progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetDescription(Visible(event.Stage)),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true),
	}
	if event.Unit == events.UnitSteps {
		return append(options, progressbar.OptionThrottle(0), progressbar.OptionSetWidth(10), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false))
	}
	return append(options, progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(24), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(event.Unit), progressbar.OptionSetPredictTime(true))
}

// fitting returns the first of the texts, ordered from long to short, that fits in width columns; else the last.
func fitting(width int, texts []string) string {
	for _, text := range texts {
		if len(text) <= width {
			return text
		}
	}
	return texts[len(texts)-1]
}

// move sets the bar to done, but not to full, which would end it; StageDone does that.
func (b *bars) move(done int) {
	if b.at.bar != nil && done < b.at.Total {
		_ = b.at.bar.Set(done)
	}
}

func (b *bars) draw() {
	if b.at.bar != nil {
		_ = b.at.bar.RenderBlank()
	}
}

func (b *bars) clear() {
	if b.at.bar != nil {
		_ = b.at.bar.Clear()
	}
}
