package detect

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/pkg/clip"
	"acdclip/pkg/config"
	"acdclip/pkg/speed"
	"acdclip/pkg/trained"
)

// measured writes times for the model of o into the user's cache, as if they were measured
// earlier on this machine.
func measured(t *testing.T, use Use, o Options, times speed.Times) {
	t.Helper()
	c := o.Config.Config
	weights, err := trained.OpenCLIP(c)
	if err != nil {
		t.Fatal(err)
	}
	defer weights.Close()
	rt, err := torch.Open(torch.Options{Threads: c.Threads})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	key, err := speedKey(rt, use, shapeOf(weights.Arch, 98), clip.Permitted(use.needs(torch.CPU)))
	if err != nil {
		t.Fatal(err)
	}
	speed.DefaultCache().Keep(key, times)
}

// TestSettlePrecision checks what is chosen and said, for times that were measured before.
func TestSettlePrecision(t *testing.T) {
	slowHalf := speed.Times{{Format: "fp32", Seconds: 0.002}, {Format: "bf16", Seconds: 0.004}, {Format: "int8", Seconds: 0.001}}
	for _, c := range []struct {
		wanted config.Precision
		use    Use
		times  speed.Times
		want   config.Precision
		says   string // nothing else is said; "" for nothing
	}{
		{config.PrecisionAuto, Scoring, slowHalf, "fp32", ""},
		{config.PrecisionFP32, Scoring, slowHalf, "fp32", ""},
		{"int8", Scoring, slowHalf, "int8", ""},
		{"bf16", Scoring, slowHalf, "bf16", "bf16 is slower than fp32 on this machine, 2 times as long"},
		{"bf16", Training, slowHalf[:2], "bf16", "bf16 is slower than fp32 on this machine, 2 times as long"},
		{config.PrecisionFastest, Scoring, slowHalf, "int8", "fastest is int8 on this machine; a block of the image tower takes: fp32 2 ms, bf16 4 ms, int8 1 ms"},
		{config.PrecisionFastest, Training, slowHalf[:2], "fp32", "fastest is fp32"},
	} {
		t.Run(fmt.Sprintf("%s/%d", c.wanted, c.use), func(t *testing.T) {
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			o := own(t)
			o.Config.Config.Precision = c.wanted
			measured(t, c.use, o, c.times)
			var said eventList
			m, err := trained.Read(o.Checkpoint, o.Methods.Cards(), o.Config)
			if err != nil {
				t.Fatal(err)
			}
			got, err := SettlePrecision(t.Context(), c.use, o.Config.Config, m.Options, said.emit)
			if err != nil || got != c.want {
				t.Errorf("%q, %v, want %q", got, err, c.want)
			}
			if (c.says == "") != (len(said) == 0) || c.says != "" && (len(said) != 1 || !strings.Contains(fmt.Sprint(said[0]), c.says)) {
				t.Errorf("said %q, want %q", said, c.says)
			}
		})
	}
}

// TestFastestIsRecorded checks that a Detector measures where nothing was measured, keeps
// the times, and knows the format that it really uses.
func TestFastestIsRecorded(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	o := own(t)
	o.Config.Config.Precision = config.PrecisionFastest
	d, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := d.Precision(); clip.CheckFormat(got, clip.Use{}) != nil || string(d.Model.Loaded.Config.Precision) != got {
		t.Errorf("the detector uses %q, its configuration says %q", got, d.Model.Loaded.Config.Precision)
	}
	measured(t, Scoring, o, speed.Times{{Format: "fp32", Seconds: 2}, {Format: "bf16", Seconds: 1e-9}, {Format: "int8", Seconds: 1}})
	again, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := again.Precision(); got != "bf16" {
		t.Errorf("%q, want what the kept times say", got)
	}
}

func TestTrainingRefusesInt8(t *testing.T) {
	o := own(t)
	o.Config.Config.Precision = "int8"
	_, err := SettlePrecision(t.Context(), Training, o.Config.Config, o.Config.Config.Model, o.Emit)
	if !errors.Is(err, clip.ErrOptions) || !strings.Contains(err.Error(), "train in fp32 or bf16") {
		t.Errorf("got %v", err)
	}
}
