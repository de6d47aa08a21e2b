package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEventLines(t *testing.T) {
	cases := []struct {
		event Event
		want  string
	}{
		{StageStarted{Stage: "train", Unit: "steps", Total: 20, Done: 7}, `{"event":"stage_started","stage":"train","unit":"steps","total":20,"done":7}`},
		{StageStarted{Stage: "load"}, `{"event":"stage_started","stage":"load"}`},
		{Progress{Stage: "train", Done: 3, Total: 20}, `{"event":"progress","stage":"train","done":3,"total":20}`},
		{Progress{"evaluate", 3, 20, "mvtec/hex_bolt"}, `{"event":"progress","stage":"evaluate","done":3,"total":20,"detail":"mvtec/hex_bolt"}`},
		{StageDone{"train", 1.5}, `{"event":"stage_done","stage":"train","seconds":1.5}`},
		{Costs{5, 3, 0.5, 4, 1}, `{"event":"costs","total":5,"model":3,"waiting":0.5,"reading":4,"metrics":1}`},
		{
			Validation{Epoch: 2, HeldOut: []string{"a"}, ImageAUROC: new(0.5), Best: true, Seconds: 1},
			`{"event":"validation","epoch":2,"held_out":["a"],"image_auroc":0.5,"pixel_auroc":null,"mean":null,"best":true,"seconds":1}`,
		},
		{Notice{"a -> b & c"}, `{"event":"notice","text":"a -> b & c"}`},
		{Warning{"two\nlines"}, `{"event":"warning","text":"two\nlines"}`},
		{Failure{"no"}, `{"event":"failure","text":"no"}`},
		{
			TrainStep{
				Epoch: 1, Step: 2, Steps: 8, Loss: 1.75, PicturesPerSecond: 4.5,
				Parts:         Values{{"focal", 0.5}, {"dice", 1}, {"classification", 0.25}},
				LearningRates: Values{{"text", 5e-4}, {"vision", 1e-3}},
			},
			`{"event":"step","epoch":1,"step":2,"steps":8,"loss":1.75,"parts":{"focal":0.5,"dice":1,"classification":0.25},"lr":{"text":0.0005,"vision":0.001},"pictures_per_second":4.5}`,
		},
		{
			TrainEpoch{Epoch: 1, Epochs: 2, Loss: 1.5, Parts: Values{{"focal", 0.5}}, SkippedSteps: 3, Seconds: 60},
			`{"event":"epoch","epoch":1,"epochs":2,"mean_loss":1.5,"mean_parts":{"focal":0.5},"skipped_steps":3,"seconds":60}`,
		},
	}
	for _, c := range cases {
		var out bytes.Buffer
		if err := NewWriter(&out, nil).Write(c.event); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != c.want+"\n" {
			t.Errorf("got  %swant %s", got, c.want)
		}
		if !json.Valid(out.Bytes()) {
			t.Errorf("not JSON: %s", out.String())
		}
		switch read, err := Read(out.Bytes()); c.event.(type) {
		case TrainStep, TrainEpoch, Validation: // what a run's log holds
			if err != nil || !reflect.DeepEqual(read, c.event) {
				t.Errorf("read back as %+v, %v, want %+v", read, err, c.event)
			}
		default:
			if !errors.Is(err, ErrUnknown) {
				t.Errorf("read back as %+v, %v", read, err)
			}
		}
	}
}

func TestEventTime(t *testing.T) {
	var out bytes.Buffer
	now := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.FixedZone("", 3600)) }
	if err := NewWriter(&out, now).Write(Notice{"x"}); err != nil {
		t.Fatal(err)
	}
	if want := `{"event":"notice","time":"2026-01-02T02:04:05.006Z","text":"x"}` + "\n"; out.String() != want {
		t.Errorf("got %swant %s", out.String(), want)
	}
}

func TestEventErrors(t *testing.T) {
	var out bytes.Buffer
	writer := NewWriter(&out, nil)
	for _, event := range []Event{
		TrainStep{Loss: math.NaN()},
		TrainStep{Parts: Values{{"dice", math.Inf(1)}}},
	} {
		if err := writer.Write(event); err == nil || !strings.Contains(err.Error(), `"step"`) {
			t.Errorf("%+v: %v", event, err)
		}
	}
	if out.Len() > 0 {
		t.Errorf("part of a line was written: %s", out.String())
	}
	if err := NewWriter(full{}, nil).Write(Notice{}); !errors.Is(err, errFull) {
		t.Errorf("full disk: %v", err)
	}
}

func TestReadErrors(t *testing.T) {
	for line, want := range map[string]string{
		`{"event":"step","ep`:                 "reading an event",
		`5`:                                   "reading an event",
		`{"event":"step","step":"3"}`:         `the event "step"`,
		`{"event":"epoch","mean_parts":[0]}`:  `the event "epoch"`,
		`{"event":"validation","mean":1e999}`: `the event "validation"`,
	} {
		if _, err := Read([]byte(line)); err == nil || errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, line := range []string{`{}`, `{"event":"later","step":"3"}`} {
		if _, err := Read([]byte(line)); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// FuzzRead checks that every line is either rejected or an event that survives writing and reading unchanged.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"event":"step","epoch":1,"step":2,"steps":8,"loss":1.75,"parts":{"focal":0.5},"lr":{"text":0.0005},"pictures_per_second":4.5}`))
	f.Add([]byte(`{"event":"epoch","epoch":1,"epochs":2,"mean_loss":1.5,"mean_parts":{"focal":0.5},"skipped_steps":3,"seconds":60}`))
	f.Add([]byte(`{"event":"validation","time":"","epoch":2,"held_out":["a"],"image_auroc":0.5,"pixel_auroc":null,"mean":null,"best":true,"seconds":1}`))
	f.Add([]byte(`{"event":"step","step":-9223372036854775808,"loss":1e308}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		event, err := Read(line)
		if err != nil {
			return
		}
		var written bytes.Buffer
		if err := NewWriter(&written, nil).Write(event); err != nil {
			t.Fatal(err)
		}
		if again, err := Read(written.Bytes()); err != nil || !reflect.DeepEqual(again, event) {
			t.Errorf("%+v is written as %s and read back as %+v, %v", event, written.String(), again, err)
		}
	})
}

var errFull = errors.New("no space left on device")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
