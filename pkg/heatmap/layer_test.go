package heatmap

import (
	"image"
	"image/color"
	"math"
	"testing"

	"acdclip/pkg/anomalymap"
)

// TestLayerKeepsPeaks: one high value among many stays visible in a small layer.
func TestLayerKeepsPeaks(t *testing.T) {
	m := &anomalymap.Map{Width: 1000, Height: 300, Scores: make([]float32, 300_000)}
	m.Scores[299*1000+999] = 1
	layer, err := Layer(m, plain, 100)
	if err != nil {
		t.Fatal(err)
	}
	if size := layer.Bounds().Size(); size != image.Pt(100, 30) {
		t.Fatalf("the layer has %v pixels", size)
	}
	top := Flame.Colors()[colors-1].(color.RGBA)
	if got := layer.At(99, 29); got != (color.NRGBA{top.R, top.G, top.B, 255}) {
		t.Errorf("the peak is %v", got)
	}
	if _, _, _, alpha := layer.At(98, 29).RGBA(); alpha != 0 {
		t.Errorf("beside it, opacity is %d", alpha)
	}
}

func TestLayerOfSmallMaps(t *testing.T) {
	m := &anomalymap.Map{Width: 2, Height: 1, Scores: []float32{0.25, 0.75}}
	layer, err := Layer(m, plain, 100)
	if err != nil || layer.Bounds().Size() != image.Pt(2, 1) {
		t.Fatalf("%v, %v", layer.Bounds(), err)
	}
	half, full := layer.At(0, 0).(color.NRGBA), layer.At(1, 0).(color.NRGBA)
	if half.A < 120 || half.A > 135 || full.A != 255 {
		t.Errorf("opacities %d and %d, want about one half and all", half.A, full.A)
	}
	m.Scores[0] = float32(math.NaN())
	if _, err := Layer(m, plain, 100); err == nil {
		t.Error("a NaN is drawn")
	}
	if _, err := Heat(m, plain, 4, 4); err == nil {
		t.Error("a NaN is drawn alone")
	}
}

// TestHeatHasThePlainColors, not mixed with anything.
func TestHeatHasThePlainColors(t *testing.T) {
	m := &anomalymap.Map{Width: 2, Height: 1, Scores: []float32{0, 1}}
	drawn, err := Heat(m, Style{unit, Jet}, 20, 5)
	if err != nil {
		t.Fatal(err)
	}
	palette := Jet.Colors()
	if drawn.At(0, 4) != palette[0] || drawn.At(19, 0) != palette[colors-1] {
		t.Errorf("ends are %v and %v", drawn.At(0, 4), drawn.At(19, 0))
	}
}

// TestOutlineLayer: the same pixels as Outline draws, and nothing else is opaque.
func TestOutlineLayer(t *testing.T) {
	mask := image.NewGray(image.Rect(0, 0, 900, 850))
	for y := 100; y < 300; y++ {
		for x := 700; x < 900; x++ {
			mask.SetGray(x, y, color.Gray{Y: 255})
		}
	}
	drawn := image.NewRGBA(mask.Bounds())
	Outline(drawn, mask, TruthColor())
	layer := OutlineLayer(mask, TruthColor())
	for y := range 850 {
		for x := range 900 {
			if drawn.At(x, y) != color.RGBAModel.Convert(layer.At(x, y)) {
				t.Fatalf("%d, %d: %v, want %v", x, y, layer.At(x, y), drawn.At(x, y))
			}
		}
	}
}

func TestFromRGB(t *testing.T) {
	drawn := FromRGB([]uint8{1, 2, 3, 4, 5, 6}, 1, 2)
	if drawn.RGBAAt(0, 0) != (color.RGBA{1, 2, 3, 255}) || drawn.RGBAAt(0, 1) != (color.RGBA{4, 5, 6, 255}) {
		t.Errorf("%v", drawn.Pix)
	}
}
