package picture

import (
	"path/filepath"
	"strings"
	"testing"

	"acdclip/internal/golden"
)

// TestGoldenPictures compares decoding, bicubic scaling and mask scaling with Pillow and torchvision.
func TestGoldenPictures(t *testing.T) {
	golden.Run(t, []string{"resize.safetensors", "resize"}, func(t *testing.T, f golden.Folder) {
		want := readPixels(t, f.File("resize.safetensors"))
		paths := f.Glob("resize/*")
		if len(paths) == 0 {
			t.Fatal("no pictures")
		}
		for _, path := range paths {
			name := filepath.Base(path)
			t.Run(name, func(t *testing.T) {
				comparePicture(t, path, want[name+".decoded"], want[name+".resized"], want[name+".mask_nearest"])
			})
		}
	})
}

func comparePicture(t *testing.T, path string, decoded, resized, mask pixels) {
	t.Helper()
	im, err := Decode(path, DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if im.Width != decoded.shape[1] || im.Height != decoded.shape[0] {
		t.Fatalf("%d x %d pixels, want %v", im.Width, im.Height, decoded.shape)
	}
	largest, mean := difference(t, im.Pix, decoded.data)
	t.Logf("decoded: largest %d, mean %.4f", largest, mean)
	if strings.HasSuffix(path, ".jpg") {
		if largest > 3 || mean > 0.1 {
			t.Errorf("decoded: largest difference %d, mean %.4f; want at most 3 and 0.1", largest, mean)
		}
	} else if largest > 0 {
		t.Errorf("decoded: largest difference %d, mean %.4f; want the same bytes", largest, mean)
	}
	side := resized.shape[0]
	if largest, mean := difference(t, decoded.image().ResizeBicubic(resized.shape[1], side).Pix, resized.data); largest > 0 {
		t.Errorf("bicubic: largest difference %d, mean %.4f; want the same bytes", largest, mean)
	}
	if largest, mean := difference(t, decoded.image().grey().ResizeNearest(side, side).Pix, mask.data); largest > 0 {
		t.Errorf("nearest: largest difference %d, mean %.4f; want the same bytes", largest, mean)
	}
}
