package report

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"acdclip/pkg/conditions"
)

func exampleRun() *PredictionRun {
	return &PredictionRun{
		Provenance: Provenance{Version: "v1", Device: "cpu", CLIP: Source{"clip", "sha256:11"}, ImageSize: 112},
		Checkpoint: Checkpoint{Source: Source{"last.safetensors", "sha256:22"}, Method: "acdclip", Preset: "paper"},
		Class:      "bolt", Domain: "industrial", Thresholds: Thresholds{Score: new(float32(0.4)), Source: "the command line"},
		Pictures: 5, Failed: 1, Anomalous: new(2), Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Seconds: new(1.5),
		Conditions: conditions.Record{conditions.Of(conditions.Extras, "--heatmaps", true), conditions.Of(conditions.Numbers, "class", "bolt")},
	}
}

func TestPredictionRun(t *testing.T) {
	var text bytes.Buffer
	if err := exampleRun().WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	read, err := ReadPredictionRun(bytes.NewReader(text.Bytes()))
	if err != nil || !reflect.DeepEqual(read, exampleRun()) {
		t.Errorf("got %+v, %v", read, err)
	}
	for _, broken := range []string{"", "{", "[]", `{"pictures":"five"}`, text.String()[:100]} {
		if _, err := ReadPredictionRun(strings.NewReader(broken)); err == nil || !strings.Contains(err.Error(), "reading what made the predictions") {
			t.Errorf("%q: %v", broken, err)
		}
	}
}

// FuzzReadPredictionRun: no content makes it panic; what it reads, it writes and reads again.
func FuzzReadPredictionRun(f *testing.F) {
	var text bytes.Buffer
	if err := exampleRun().WriteJSON(&text); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		run, err := ReadPredictionRun(bytes.NewReader(content))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := run.WriteJSON(&again); err != nil {
			return // a year that JSON does not have
		}
		if _, err := ReadPredictionRun(&again); err != nil {
			t.Error(err)
		}
	})
}
