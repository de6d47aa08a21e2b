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
	if err := errors.Join(DrawGates(&picture, "a.png", "bolts: last.safetensors", means), DrawGates(&text, "a.svg", "bolts: last.safetensors", means)); err != nil {
		t.Fatal(err)
	}
	drawn, err := png.Decode(&picture)
	if err != nil {
		t.Fatal(err)
	}
	if b := drawn.Bounds(); b.Dx() < 500 || b.Dy() < 600 {
		t.Errorf("it has %v pixels", b)
	}
	for _, want := range []string{"hex_bolt: normal", "hex_bolt: abnormal", "all classes: normal", "bolts: last.safetensors", "text level", "vision group", ">0.75<", ">0.00<", ">1.00<"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the SVG has no %q", want)
		}
	}
	if err := DrawGates(io.Discard, "a.gif", "", means); !errors.Is(err, ErrFormat) {
		t.Errorf("a GIF: %v", err)
	}
}

// TestDrawManyGates: sixteen classes are drawn in a grid, below a title that may be long.
func TestDrawManyGates(t *testing.T) {
	means := make([]report.GateMeans, 16)
	for i := range means {
		means[i] = report.GateMeans{Class: string(rune('a' + i)), Groups: 1, Omega: []float64{1, 1}}
	}
	var picture, text bytes.Buffer
	title := strings.Repeat("a long folder/", 40)
	if err := errors.Join(DrawGates(&picture, "a.png", title, means), DrawGates(&text, "a.svg", title, means)); err != nil {
		t.Fatal(err)
	}
	drawn, err := png.DecodeConfig(&picture)
	if err != nil {
		t.Fatal(err)
	}
	if ratio := float64(drawn.Width) / float64(drawn.Height); ratio < 0.6 || ratio > 1.7 {
		t.Errorf("it has %d x %d pixels", drawn.Width, drawn.Height)
	}
	for i := range means {
		if want := means[i].Class + ": abnormal"; !strings.Contains(text.String(), want) {
			t.Errorf("the SVG has no %q", want)
		}
	}
}
