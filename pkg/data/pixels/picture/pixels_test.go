package picture

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"testing"
)

// pixels is one byte tensor of a safetensors file.
type pixels struct {
	shape []int
	data  []uint8
}

// readPixels reads the byte tensors of a safetensors file written by the project's scripts.
func readPixels(t testing.TB, path string) map[string]pixels {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(b)
	var header map[string]json.RawMessage
	if err := json.Unmarshal(b[8:8+n], &header); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	delete(header, "__metadata__")
	all := map[string]pixels{}
	for name, raw := range header {
		var entry struct {
			Dtype   string
			Shape   []int
			Offsets [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(raw, &entry); err != nil || entry.Dtype != "U8" {
			t.Fatalf("%s: tensor %s: %s", path, name, raw)
		}
		all[name] = pixels{entry.Shape, b[8+int(n):][entry.Offsets[0]:entry.Offsets[1]]}
	}
	return all
}

// image returns an [H, W, 3] tensor as a picture.
func (p pixels) image() *Image {
	return &Image{Width: p.shape[1], Height: p.shape[0], Pix: p.data}
}

func (im *Image) grey() *Grey {
	g, _ := im.toGrey()
	return g
}

// difference returns the largest and the mean absolute difference of two byte slices of equal length.
func difference(t testing.TB, got, want []uint8) (largest int, mean float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d values, want %d", len(got), len(want))
	}
	sum := 0
	for i := range got {
		d := int(got[i]) - int(want[i])
		d = max(d, -d)
		sum += d
		largest = max(largest, d)
	}
	return largest, float64(sum) / float64(max(len(got), 1))
}
