package main

import (
	"reflect"
	"testing"

	"acdclip/pkg/events"
)

// TestMegabytes: a download that begins again is a stage of its own, and the end is told once.
func TestMegabytes(t *testing.T) {
	var told []events.Event
	m := megabytes{stage: "download", emit: func(event events.Event) {
		if done, ok := event.(events.StageDone); ok {
			done.Seconds = 0
			event = done
		}
		if _, passing := event.(events.Progress); !passing {
			told = append(told, event)
		}
	}}
	for _, done := range []int64{0, 400_000, 2_600_000, 0, 1_000_000, 3_000_000, 3_000_000} {
		m.progress(done, 3_000_000)
	}
	m.progress(0, 0)
	want := []events.Event{
		events.StageStarted{Stage: "download", Unit: "MB", Total: 3}, events.StageStarted{Stage: "download", Unit: "MB", Total: 3}, events.StageDone{Stage: "download"},
	}
	if !reflect.DeepEqual(told, want) {
		t.Errorf("told %+v", told)
	}
}
