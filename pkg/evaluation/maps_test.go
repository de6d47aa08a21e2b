package evaluation

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/goroutines"
	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
)

// drawnMaps writes maps with random scores, and masks, and returns their content.
func drawnMaps(t *testing.T, count int) (folder string, scores [][]float32, masks [][]uint8) {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	folder = t.TempDir()
	for i := range count {
		const width, height = 9, 7
		m := anomalymap.Map{Width: width, Height: height, Scores: make([]float32, width*height)}
		mask := image.NewGray(image.Rect(0, 0, width, height))
		for p := range m.Scores {
			m.Scores[p] = float32(r.IntN(50)) / 50
			if i%3 > 0 && r.IntN(4) == 0 {
				mask.Pix[p] = 255
			}
		}
		save(t, filepath.Join(folder, "maps", fmt.Sprintf("%02d.npy", i)), func(f *os.File) error { return anomalymap.WriteNPY(f, &m) })
		save(t, filepath.Join(folder, "masks", fmt.Sprintf("%02d_mask.png", i)), func(f *os.File) error { return png.Encode(f, mask) })
		scores, masks = append(scores, m.Scores), append(masks, mask.Pix)
	}
	return folder, scores, masks
}

func save(t *testing.T, path string, write func(*os.File) error) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		t.Fatal(err)
	}
}

func evaluateMaps(t *testing.T, folder string, workers int) (report.MapMetrics, error) {
	t.Helper()
	pairs, err := data.PairMaps(t.Context(), filepath.Join(folder, "maps"), filepath.Join(folder, "masks"))
	if err != nil {
		t.Fatal(err)
	}
	return EvaluateMaps(t.Context(), pairs, MapOptions{Workers: workers}, func(events.Event) {})
}

// TestEvaluateMaps compares with metrics computed from all random values at once.
func TestEvaluateMaps(t *testing.T) {
	folder, scores, masks := drawnMaps(t, 10)
	var all, images []float32
	var pixelLabels, imageLabels []bool
	for i := range scores {
		all = append(all, scores[i]...)
		for _, v := range masks[i] {
			pixelLabels = append(pixelLabels, v != 0)
		}
		images = append(images, slices.Max(scores[i]))
		imageLabels = append(imageLabels, slices.Contains(masks[i], 255))
	}
	pixel, err := metrics.Rank(all, pixelLabels)
	if err != nil {
		t.Fatal(err)
	}
	ofImages, err := metrics.Rank(images, imageLabels)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{0, 1, 3, 50} {
		got, err := evaluateMaps(t, folder, workers)
		if err != nil {
			t.Fatal(err)
		}
		if got.Maps != 10 || got.Normal != 4 || got.Anomalous != 6 {
			t.Errorf("%+v", got)
		}
		want := report.Metrics{
			metrics.PixelAUROC: pixel.AUROC, metrics.PixelAP: pixel.AP, "pixel_f1max": pixel.F1Max,
			metrics.ImageAUROC: ofImages.AUROC, metrics.ImageAP: ofImages.AP, "image_f1max": ofImages.F1Max, "pixel_aupro": got.Metrics["pixel_aupro"],
		}
		if aupro := want["pixel_aupro"]; !maps.Equal(got.Metrics, want) || !(aupro > 0 && aupro < 1) || got.FPRLimit != metrics.DefaultFPRLimit {
			t.Errorf("%d workers: other metrics: %+v", workers, got)
		}
	}
}

// TestMapsMemory checks that the memory limit holds regardless of the number of reading
// goroutines. Data beyond the limit goes to a folder that does not exist, which is an error.
func TestMapsMemory(t *testing.T) {
	const side, count = 1024, 8
	m := anomalymap.Map{Width: side, Height: side, Scores: make([]float32, side*side)}
	mask := image.NewGray(image.Rect(0, 0, side, side))
	mask.Pix[5] = 1
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.Scores {
		m.Scores[i] = r.Float32()
	}
	folder := t.TempDir()
	for i := range count {
		save(t, filepath.Join(folder, "maps", fmt.Sprintf("%02d.npy", i)), func(f *os.File) error { return anomalymap.WriteNPY(f, &m) })
		save(t, filepath.Join(folder, "masks", fmt.Sprintf("%02d.png", i)), func(f *os.File) error { return png.Encode(f, mask) })
	}
	pairs, err := data.PairMaps(t.Context(), filepath.Join(folder, "maps"), filepath.Join(folder, "masks"))
	if err != nil {
		t.Fatal(err)
	}
	const needed = int64(side * side * count * 405 / 100) // 4.05 bytes a pixel with the index, and 96 MiB to work with
	for _, workers := range []int{1, 64} {
		for memory, fits := range map[int64]bool{needed + 100<<20: true, needed + 70<<20: false} {
			_, err := EvaluateMaps(t.Context(), pairs, MapOptions{
				Workers: workers, Pixels: metrics.Options{Memory: memory, Workers: workers, Folder: filepath.Join(folder, "missing")},
			}, func(events.Event) {})
			if (err == nil) != fits {
				t.Errorf("%d workers, %d MiB: %v", workers, memory>>20, err)
			}
		}
	}
}

func TestEvaluateMapsNamesWhatIsWrong(t *testing.T) {
	small := image.NewGray(image.Rect(0, 0, 3, 3))
	for name, test := range map[string]struct {
		spoil   func(folder string)
		is      error
		message string
	}{
		"a mask of another size": {func(folder string) {
			save(t, filepath.Join(folder, "masks", "03_mask.png"), func(f *os.File) error { return png.Encode(f, small) })
		}, ErrMapSize, "03_mask.png has 3 x 3 pixels"},
		"a map that is none": {func(folder string) {
			save(t, filepath.Join(folder, "maps", "03.npy"), func(f *os.File) error { _, err := f.WriteString("x"); return err })
		}, anomalymap.ErrNotMap, "03.npy"},
		"a score that is no number": {func(folder string) {
			m := anomalymap.Map{Width: 9, Height: 7, Scores: make([]float32, 63)}
			m.Scores[10] = float32(math.NaN())
			save(t, filepath.Join(folder, "maps", "03.npy"), func(f *os.File) error { return anomalymap.WriteNPY(f, &m) })
		}, metrics.ErrNotFinite, "03.npy: score is not finite: NaN at row 1, column 1"},
	} {
		t.Run(name, func(t *testing.T) {
			folder, _, _ := drawnMaps(t, 5)
			test.spoil(folder)
			if _, err := evaluateMaps(t, folder, 2); !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.message) {
				t.Errorf("error %v, want %v with %q", err, test.is, test.message)
			}
		})
	}
	t.Run("one class", func(t *testing.T) {
		folder, _, _ := drawnMaps(t, 1) // its mask marks nothing
		if got, err := evaluateMaps(t, folder, 1); err != nil || len(got.Metrics) != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// drawnFor writes a map of one score and its masks of two pixels below a folder.
func drawnFor(t *testing.T, folder, name string, score float32, masks map[string][2]uint8) {
	t.Helper()
	m := anomalymap.Map{Width: 2, Height: 1, Scores: []float32{score, score / 2}}
	save(t, filepath.Join(folder, "maps", name+".npy"), func(f *os.File) error { return anomalymap.WriteNPY(f, &m) })
	for path, pix := range masks {
		mask := &image.Gray{Pix: pix[:], Stride: 2, Rect: image.Rect(0, 0, 2, 1)}
		save(t, filepath.Join(folder, "masks", path), func(f *os.File) error { return png.Encode(f, mask) })
	}
}

// TestMapsAreLabelledAsByEvaluate checks that labels come from the folders, or from the masks if there are no telling folders.
func TestMapsAreLabelledAsByEvaluate(t *testing.T) {
	for _, test := range []struct {
		name              string
		maps              map[string]map[string][2]uint8 // each with its masks
		normal, anomalous int
		pixels            float64 // pixel AUROC
		warnings          []string
	}{
		{
			"an empty mask below bad", map[string]map[string][2]uint8{"bad/0": {"bad/0.png": {255, 0}}, "bad/1": {"bad/1.png": {0, 0}}, "good/0": nil},
			1, 2, 0.8, []string{"empty masks of anomalous pictures: 1, such as "},
		},
		{
			"the mask of a normal picture is not read", map[string]map[string][2]uint8{"bad/0": {"bad/0.png": {255, 0}}, "ok/0": {"ok/0.png": {255, 255}}},
			1, 1, 2.5 / 3, nil,
		},
		{
			"no folders: the masks say it", map[string]map[string][2]uint8{"0": {"0.png": {255, 0}}, "1": {"1.png": {0, 0}}},
			1, 1, 2.5 / 3, []string{"empty masks: 1, such as "},
		},
		{
			"a mask that marks everything", map[string]map[string][2]uint8{"bad/0": {"bad/0.png": {1, 9}}, "good/0": nil},
			1, 1, 0.5, []string{"masks that mark every pixel: 1, such as "},
		},
		{
			"a mask of two files, which together mark everything", map[string]map[string][2]uint8{"bad/0": {"bad/0/000.png": {3, 0}, "bad/0/001.png": {0, 3}}, "good/0": nil},
			1, 1, 0.5, []string{"masks that mark every pixel: 1, such as "},
		},
	} {
		folder := t.TempDir()
		for name, masks := range test.maps {
			drawnFor(t, folder, name, 0.5, masks)
		}
		if err := os.MkdirAll(filepath.Join(folder, "masks"), 0o755); err != nil {
			t.Fatal(err)
		}
		pairs, err := data.PairMaps(t.Context(), filepath.Join(folder, "maps"), filepath.Join(folder, "masks"))
		if err != nil {
			t.Fatal(err)
		}
		var warnings []string
		got, err := EvaluateMaps(t.Context(), pairs, MapOptions{}, func(event events.Event) {
			if warning, ok := event.(events.Warning); ok {
				warnings = append(warnings, warning.Text)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if got.Normal != test.normal || got.Anomalous != test.anomalous || !near(got.Metrics[metrics.PixelAUROC], test.pixels) {
			t.Errorf("%s: %d normal, %d anomalous, pixel AUROC %v", test.name, got.Normal, got.Anomalous, got.Metrics[metrics.PixelAUROC])
		}
		if !slices.EqualFunc(warnings, test.warnings, strings.Contains) {
			t.Errorf("%s: warnings %q", test.name, warnings)
		}
	}
}

func TestNoMapsAreAnError(t *testing.T) {
	if _, err := EvaluateMaps(t.Context(), nil, MapOptions{}, func(events.Event) {}); !errors.Is(err, data.ErrNoPictures) {
		t.Errorf("error %v", err)
	}
}

// TestFringedMasksAreTold checks the warning about the grey edges of JPEG masks, which count
// as anomalous unless the threshold excludes them.
func TestFringedMasksAreTold(t *testing.T) {
	folder := t.TempDir()
	m := anomalymap.Map{Width: 16, Height: 8, Scores: make([]float32, 16*8)} // two of JPEG's blocks, the first without a mark
	mask := image.NewGray(image.Rect(0, 0, 16, 8))
	for p := range m.Scores {
		m.Scores[p] = float32((p*p+3*p)%131) / 131
		if column := p % 16; column >= 8 {
			mask.Pix[p] = uint8(60 + 20*(column-8))
		}
	}
	save(t, filepath.Join(folder, "maps", "bad", "0.npy"), func(f *os.File) error { return anomalymap.WriteNPY(f, &m) })
	save(t, filepath.Join(folder, "masks", "bad", "0.jpg"), func(f *os.File) error { return jpeg.Encode(f, mask, &jpeg.Options{Quality: 100}) })
	pairs, err := data.PairMaps(t.Context(), filepath.Join(folder, "maps"), filepath.Join(folder, "masks"))
	if err != nil {
		t.Fatal(err)
	}
	auroc := map[uint8]float64{}
	for threshold, warned := range map[uint8]int{0: 1, 128: 0} {
		var seen eventList
		got, err := EvaluateMaps(t.Context(), pairs, MapOptions{MaskThreshold: threshold}, seen.emit)
		if err != nil {
			t.Fatal(err)
		}
		if warnings := seen.warnings(); len(warnings) != warned || warned > 0 && !strings.Contains(warnings[0], "--mask-threshold 128") {
			t.Errorf("threshold %d: %q", threshold, warnings)
		}
		auroc[threshold] = got.Metrics[metrics.PixelAUROC]
	}
	if auroc[0] == auroc[128] || auroc[0] == 0 {
		t.Errorf("the threshold changes nothing: %v", auroc)
	}
}

// TestEvaluateMapsStops checks that it stops at any map, with all its goroutines.
func TestEvaluateMapsStops(t *testing.T) {
	folder, _, _ := drawnMaps(t, 12)
	pairs, err := data.PairMaps(t.Context(), filepath.Join(folder, "maps"), filepath.Join(folder, "masks"))
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	for stop := 1; stop < 10; stop += 2 {
		ctx, cancel := context.WithCancel(t.Context())
		done := 0
		_, err := EvaluateMaps(ctx, pairs, MapOptions{Workers: 2}, func(event events.Event) {
			if progress, is := event.(events.Progress); is {
				if done = progress.Done; done == stop {
					cancel()
				}
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) || done > stop+2 {
			t.Errorf("stopped at map %d, went on to %d: %v", stop, done, err)
		}
	}
	goroutines.NoneLeft(t, before)
}

// writeGrey writes a mask of one value.
func writeGrey(t *testing.T, path string, width, height int, value uint8) {
	t.Helper()
	mask := image.NewGray(image.Rect(0, 0, width, height))
	for p := range mask.Pix {
		mask.Pix[p] = value
	}
	save(t, path, func(f *os.File) error { return png.Encode(f, mask) })
}
