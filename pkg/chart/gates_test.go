package chart

import (
	"bytes"
	"errors"
	"image/png"
	"io"
	"strings"
	"testing"

	"acdclip/pkg/report"
)

func TestDrawGates(t *testing.T) {
	means := []report.GateMeans{
		{Class: "hex_bolt", Groups: 2, Omega: []float64{0.25, 0, 0.75, 1, 0.5, 0.5, 0.5, 0.5}},
		{Groups: 2, Omega: []float64{0.25, 0, 0.75, 1, 0.5, 0.5, 0.5, 0.5}},
	}
	var picture, text bytes.Buffer
	if err := errors.Join(DrawGates(&picture, "a.png", means), DrawGates(&text, "a.svg", means)); err != nil {
		t.Fatal(err)
	}
	drawn, err := png.Decode(&picture)
	if err != nil {
		t.Fatal(err)
	}
	if b := drawn.Bounds(); b.Dx() < 500 || b.Dy() < 600 {
		t.Errorf("it has %v pixels", b)
	}
	for _, want := range []string{"hex_bolt: normal", "hex_bolt: abnormal", "all classes: normal", "text level", "vision group", ">0.75<", ">0.00<", ">1.00<"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the SVG has no %q", want)
		}
	}
	if err := DrawGates(io.Discard, "a.gif", means); !errors.Is(err, ErrFormat) {
		t.Errorf("a GIF: %v", err)
	}
}
