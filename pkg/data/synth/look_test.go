package synth

import (
	"image"
	imagecolor "image/color"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func decode(t *testing.T, path string) image.Image {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// values counts the grays of the pictures that match a pattern.
func values(t *testing.T, dir, pattern string) map[uint8]int {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, filepath.FromSlash(pattern)))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
	}
	counts := map[uint8]int{}
	for _, path := range paths {
		m := decode(t, path)
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				counts[imagecolor.GrayModel.Convert(m.At(x, y)).(imagecolor.Gray).Y]++
			}
		}
	}
	return counts
}

// The masks have the unusual values of each benchmark's masks.
func TestMaskValues(t *testing.T) {
	o := Options{Layout: All, Classes: []string{"candle", "bottle", "03", "Type-I", "Brain", "Liver", "Retina", "Kvasir"}, Normal: 1, Anomalous: 4, Size: 64}
	dir, _ := write(t, o)
	between := func(low, high int) (list []uint8) {
		for v := low; v <= high; v++ {
			list = append(list, uint8(v))
		}
		return list
	}
	tests := []struct {
		masks         string
		allowed, need []uint8 // values that may occur, and values that must
	}{
		{"mvtec_ad/bottle/ground_truth/*/*", []uint8{0, 255}, []uint8{0, 255}},
		{"VisA_20220922/candle/Data/Masks/Anomaly/*", between(0, 9), []uint8{0, 3, 6, 7}}, // a hole, a stain, a thread
		{"MedAD/Brain_AD/*/test/Ungood/label/*", []uint8{0, 58, 121, 122, 255}, []uint8{0, 58, 255}},
		{"MedAD/Brain_AD/*/test/good/label/*", []uint8{0}, nil},
		{"MedAD/Liver_AD/*/test/label/Ungood/*", []uint8{0, 255}, []uint8{0, 255}},
		{"MedAD/Liver_AD/*/test/label/good/*", []uint8{0}, nil},
		{"MedAD/Retina_RESC_AD/*/Test/test_label/Ungood/*", []uint8{0, 85, 170, 255}, []uint8{0, 85, 170, 255}},
		{"Colon/Kvasir/masks/*", append(between(0, 7), between(248, 255)...), []uint8{0, 7, 248, 255}},
	}
	for _, test := range tests {
		got := values(t, dir, test.masks)
		for v := range got {
			if !slices.Contains(test.allowed, v) {
				t.Errorf("%s: %d times %d", test.masks, got[v], v)
			}
		}
		for _, v := range test.need {
			if got[v] == 0 {
				t.Errorf("%s: %d is not there", test.masks, v)
			}
		}
	}
	rails := values(t, dir, "RSDD/*/Type-I */GroundTruth/*")
	if len(rails) < 6 || rails[0] == 0 || rails[255] == 0 {
		t.Errorf("a rail's mask has no fringe: %v", rails)
	}
	empty := 0
	labels, _ := filepath.Glob(filepath.Join(dir, "MedAD/Brain_AD/*/test/Ungood/label/*"))
	for _, path := range labels {
		if len(values(t, path, "")) == 1 {
			empty++
		}
	}
	if len(labels) != 4 || empty != 1 {
		t.Errorf("%d of %d masks of the brain are empty", empty, len(labels))
	}
}

// A brain has the bluish colors of bone on exact black.
func TestBone(t *testing.T) {
	dir, _ := write(t, Options{Layout: "brain", Normal: 1, Anomalous: 1, Size: 64})
	m := decode(t, filepath.Join(dir, "BraTS2021_slice/test/good/img/00003_60.png")).(*image.NRGBA)
	if m.NRGBAAt(1, 1) != (imagecolor.NRGBA{A: 255}) {
		t.Errorf("the corner is %v", m.NRGBAAt(1, 1))
	}
	middle := m.NRGBAAt(32, 32)
	if middle.B <= middle.R || middle.A != 255 {
		t.Errorf("the middle is %v", middle)
	}
	for v, want := range map[float64]imagecolor.NRGBA{0: {0, 0, 0, 255}, 0.5: {111, 122, 143, 255}, 1: {255, 255, 255, 255}} {
		var got [3]uint8
		for k, curve := range boneCurves {
			got[k] = uint8(255 * curve.at(v))
		}
		if got != [3]uint8{want.R, want.G, want.B} {
			t.Errorf("bone of %v is %v, want %v", v, got, want)
		}
	}
}
