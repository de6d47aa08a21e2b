package main

import (
	"time"

	"github.com/schollz/progressbar/v3"

	"acdclip/pkg/report"
)

// bars shows a stage as a progress bar on a terminal, and messages as lines above it.
type bars struct {
	lines
	bar *progressbar.ProgressBar // of the stage under way; nil between two
}

// The bar's own errors are those of a terminal that has gone: there is nobody to tell.
func (b *bars) show(event report.Event) {
	switch event := event.(type) {
	case report.StageStarted:
		b.at = stage{event, b.now()}
		b.bar = progressbar.NewOptions(event.Total,
			progressbar.OptionSetWriter(b.w), progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetDescription(visible(event.Stage)),
			progressbar.OptionSetWidth(24), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(event.Unit),
			progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionSetRenderBlankState(true))
	case report.Progress:
		b.move(event.Done)
	case report.TrainStep:
		if b.bar != nil {
			b.bar.Describe(describeStep(event))
		}
		b.move(event.Step)
	case report.StageDone:
		b.clear()
		b.bar = nil
		b.lines.show(event)
	default:
		b.clear()
		b.message(event)
		if _, end := event.(report.Failure); !end && b.bar != nil {
			_ = b.bar.RenderBlank()
		}
	}
}

// move brings the bar to done; a full bar would end it, and StageDone does that.
func (b *bars) move(done int) {
	if b.bar != nil && done < b.at.Total {
		_ = b.bar.Set(done)
	}
}

func (b *bars) clear() {
	if b.bar != nil {
		_ = b.bar.Clear()
	}
}
