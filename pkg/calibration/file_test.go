package calibration

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"acdclip/pkg/conditions"
)

func example() *Calibration {
	return &Calibration{
		Version: "v1", Created: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Rule: "1% false alarms", Good: 120,
		Score: Threshold{Value: 0.4, FalseAlarms: Rate{0, 0.001, 0.03}}, Pixel: Threshold{Value: 0.5, FalseAlarms: Rate{0, 0.001, 0.03}, Recall: &Rate{1, 0.9, 1}},
		Conditions: conditions.Record{conditions.Of(conditions.Bits, "threads", 2), conditions.Of(conditions.Numbers, "class", "bolt")},
	}
}

func TestFile(t *testing.T) {
	var text bytes.Buffer
	if err := example().WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "c.json")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := Read(path)
	if err != nil || !reflect.DeepEqual(read, example()) {
		t.Errorf("%+v, %v", read, err)
	}
	if _, err := Read(path + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for name, c := range map[string]struct{ from, to, says string }{
		"another key":    {`"version"`, `"edition"`, "unknown field"},
		"no number":      {`0.4`, `"high"`, "cannot unmarshal"},
		"too high":       {`0.4`, `1.5`, "score: the threshold 1.5 is not between 0 and 1"},
		"no conditions":  {`"bits"`, `"other"`, ""},
		"text behind it": {"{", "x{", "invalid character"},
	} {
		changed := strings.Replace(text.String(), c.from, c.to, 1)
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); c.says != "" && (!errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFits(t *testing.T) {
	c := example()
	if err := c.Fits(conditions.Record{conditions.Of(conditions.Bits, "threads", 8), conditions.Of(conditions.Numbers, "class", "bolt")}); err != nil {
		t.Errorf("other threads: %v", err)
	}
	err := c.Fits(conditions.Record{conditions.Of(conditions.Numbers, "class", "nut")})
	if !errors.Is(err, ErrOtherConditions) || !strings.Contains(err.Error(), "class: bolt there, nut here") {
		t.Errorf("another class: %v", err)
	}
}

func TestBeside(t *testing.T) {
	for checkpoint, want := range map[string]string{"run/last.safetensors": "run/last.calibration.json", "a.b/adapter": "a.b/adapter.calibration.json"} {
		if got := Beside(checkpoint); got != want {
			t.Errorf("%s: %s, want %s", checkpoint, got, want)
		}
	}
}

// FuzzParse: no content makes it panic; what it reads, it writes and reads again.
func FuzzParse(f *testing.F) {
	var text bytes.Buffer
	if err := example().WriteJSON(&text); err != nil {
		f.Fatal(err)
	}
	f.Add(text.Bytes())
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := parse(content)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := c.WriteJSON(&again); err != nil {
			return // a year that JSON does not have
		}
		if _, err := parse(again.Bytes()); err != nil {
			t.Errorf("%v: %s", err, again.String())
		}
	})
}
