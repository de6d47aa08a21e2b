package verify

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
)

// noisy returns a dataset of pictures that take as long to decode as photos.
func noisy(b *testing.B) *data.Dataset {
	b.Helper()
	const pairs = 20
	r := rand.New(rand.NewPCG(1, 2))
	noise := func(kind string, pixels int) string {
		text := fmt.Appendf(nil, "%s 600x400", kind)
		for range pixels {
			text = fmt.Appendf(text, " %d", r.IntN(256))
		}
		return string(text)
	}
	files := tree{}
	for i := range pairs {
		files[fmt.Sprintf("c/test/good/%d.jpg", i)] = noise("rgb", 600*400)
		files[fmt.Sprintf("c/test/hole/%d.png", i)] = noise("rgb", 600*200)
		files[fmt.Sprintf("c/ground_truth/hole/%d_mask.png", i)] = noise("grey", 600*30)
	}
	return files.discover(b, "own", config.Root{})
}

// BenchmarkRun measures Run; compare it with BenchmarkDecodeAlone.
func BenchmarkRun(b *testing.B) {
	d := noisy(b)
	for b.Loop() {
		if _, err := Run(b.Context(), d, Options{Workers: 1, ImageSize: 518}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeAlone only decodes the same files.
func BenchmarkDecodeAlone(b *testing.B) {
	d := noisy(b)
	for b.Loop() {
		for _, item := range d.Items {
			for _, path := range []string{item.Path, item.Mask} {
				if path == "" {
					continue
				}
				if _, err := picture.Decode(path, picture.DecodeOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

// BenchmarkQuick measures a quick Run, in files per second.
func BenchmarkQuick(b *testing.B) {
	d := noisy(b)
	files := 0
	for b.Loop() {
		r, err := Run(b.Context(), d, Options{Quick: true})
		if err != nil {
			b.Fatal(err)
		}
		files += r.Pictures.Files + r.Masks.Files
	}
	b.ReportMetric(float64(files)/b.Elapsed().Seconds(), "files/s")
}
