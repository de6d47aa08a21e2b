package detect

import (
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"acdclip/cgo/torch"
	"acdclip/internal/drawn"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/model"
	"acdclip/pkg/scoring"
	"acdclip/pkg/tiling"
)

var square = tiling.Options{Size: 64, Overlap: 0.25}

// large writes a picture of that size with a bright dot, and returns its path.
func large(t *testing.T, width, height int) string {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = uint8(100 + i%7*i%11)
	}
	for y := range min(height, 9) {
		copy(m.Pix[m.PixOffset(width*2/3, y):], slices.Repeat([]uint8{250}, min(9, width-width*2/3)))
	}
	path := filepath.Join(t.TempDir(), "large.png")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(file, m), file.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// predict scores pictures, with tiles, as Predict does.
func predict(ctx context.Context, t *testing.T, d *Detector, tiles tiling.Options, emit func(events.Event), paths ...string) ([]scoring.Scored, error) {
	t.Helper()
	var inputs []data.Found
	for _, path := range paths {
		inputs = append(inputs, data.Found{Path: path})
	}
	o := PredictOptions{
		Inputs: inputs, PromptOf: func(input data.Found) string { return filepath.Base(input.Path) }, Domain: domain.Industrial, Batch: 5, Load: pixels.LoadOptions{Tiles: tiles},
	}
	var list []scoring.Scored
	err := Predict(ctx, d, o, emit, func(_ data.Found, scored scoring.Scored) error {
		list = append(list, scored)
		return nil
	})
	return list, err
}

// A picture that is no larger than a tile scores as without tiles, bit for bit.
func TestSmallPicturesAreNotTiled(t *testing.T) {
	d := open(t)
	var paths []string
	for _, item := range drawn.Set(t, synth.Objects).Items {
		paths = append(paths, item.Path)
	}
	want, err := predict(t.Context(), t, d, tiling.Options{}, func(events.Event) {}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	side := max(want[0].Picture.Width, want[0].Picture.Height)
	got, err := predict(t.Context(), t, d, tiling.Options{Size: side, Overlap: 0.5}, func(events.Event) {}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i].Picture.Tiled || got[i].Score != want[i].Score || !slices.Equal(got[i].Map.Scores, want[i].Map.Scores) {
			t.Errorf("%s: %v with tiles, %v without", paths[i], got[i].Score, want[i].Score)
		}
	}
}

// A large picture has the largest scores of its tiles and the blend of their maps, whatever
// stands beside it.
func TestTilesAreScored(t *testing.T) {
	d := open(t)
	small := drawn.Set(t, synth.Objects).Items[0].Path
	path := large(t, 200, 150)
	list, err := predict(t.Context(), t, d, square, func(events.Event) {}, small, path, small)
	if err != nil {
		t.Fatal(err)
	}
	got := list[1]
	im, err := picture.Decode(path, picture.DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	plan := square.Plan(200, 150)
	blend := tiling.NewBlend(plan, d.Size())
	var score, probability float32
	for first := 0; first < plan.Count(); first += 5 { // the same batches, for the same bits
		var tiles []pixels.Picture
		for i := first; i < min(first+5, plan.Count()); i++ {
			tiles = append(tiles, pixels.Picture{Pix: im.Crop(plan.At(i)).ResizeBicubic(d.Size(), d.Size()).Pix})
		}
		results, err := d.Score(t.Context(), domain.Classes{Prompts: []string{"large.png"}, Domain: domain.Industrial}, tiles, make([]int, len(tiles)))
		if err != nil {
			t.Fatal(err)
		}
		for i, result := range results {
			score, probability = max(score, result.Score), max(probability, *result.ClassProbability)
			blend.Add(first+i, result.Map)
		}
	}
	want := blend.Map()
	if got.Err != nil || got.Picture.Width != 200 || got.Picture.Height != 150 || got.Score != score || *got.ClassProbability != probability {
		t.Errorf("score %v, probability %v, %d x %d pixels, %v; want %v and %v", got.Score, *got.ClassProbability, got.Picture.Width, got.Picture.Height, got.Err, score, probability)
	}
	if got.Map.Width != want.Width || got.Map.Height != want.Height || !slices.Equal(got.Map.Scores, want.Scores) || got.MapMax != slices.Max(want.Scores) {
		t.Errorf("a map of %d x %d with maximum %v, want %d x %d", got.Map.Width, got.Map.Height, got.MapMax, want.Width, want.Height)
	}
}

// A single pixel, a strip and a column are scored.
func TestOddSizes(t *testing.T) {
	d := open(t)
	for _, size := range [][2]int{{1, 1}, {1500, 3}, {1, 300}, {65, 64}} {
		list, err := predict(t.Context(), t, d, square, func(events.Event) {}, large(t, size[0], size[1]))
		if err != nil || list[0].Err != nil {
			t.Errorf("%v: %v, %v", size, err, list[0].Err)
			continue
		}
		if s := list[0]; s.Picture.Width != size[0] || s.Picture.Height != size[1] || s.Picture.Tiled != (max(size[0], size[1]) > square.Size) || s.Map == nil {
			t.Errorf("%v: %d x %d pixels, tiled: %v", size, s.Picture.Width, s.Picture.Height, s.Picture.Tiled)
		}
	}
}

// A picture that cannot be read, or whose tile has no score, fails alone.
func TestTilesThatFail(t *testing.T) {
	d := open(t)
	whole, cut := large(t, 200, 150), large(t, 200, 150)
	content, err := os.ReadFile(cut)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, content[:len(content)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := predict(t.Context(), t, d, square, func(events.Event) {}, cut, whole)
	if err != nil || list[0].Err == nil || !strings.Contains(list[0].Err.Error(), cut) || list[1].Err != nil {
		t.Errorf("%v, %v, %v", err, list[0].Err, list[1].Err)
	}
	d.method = &once{Method: d.method}
	list, err = predict(t.Context(), t, d, square, func(events.Event) {}, whole, whole)
	if err != nil || !errors.Is(list[0].Err, errNotFinite) || !strings.Contains(list[0].Err.Error(), "the tile at (0,0)") || list[1].Err != nil {
		t.Errorf("%v, %v, %v", err, list[0].Err, list[1].Err)
	}
}

// batches is a method that notes the sizes of its batches, and calls after each.
type batches struct {
	model.Method
	sizes []int
	after func()
}

func (b *batches) Score(s *torch.Scope, pictures torch.Tensor, classOf []int, prepared model.Prepared) (model.Scores, error) {
	b.sizes = append(b.sizes, len(classOf))
	defer b.after()
	return b.Method.Score(s, pictures, classOf, prepared)
}

// Tiles go through the model in batches, between which a cancelled context stops the work.
func TestTilesStopBetweenBatches(t *testing.T) {
	d := open(t)
	counting := &batches{Method: d.method, after: func() {}}
	d.method = counting
	if _, err := predict(t.Context(), t, d, square, func(events.Event) {}, large(t, 200, 150)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(counting.sizes, []int{5, 5, 2}) {
		t.Errorf("batches of %v", counting.sizes)
	}
	ctx, cancel := context.WithCancel(t.Context())
	counting.sizes, counting.after = nil, cancel
	list, err := predict(ctx, t, d, square, func(events.Event) {}, large(t, 200, 150))
	if !errors.Is(err, context.Canceled) || len(list) != 0 || len(counting.sizes) != 1 {
		t.Errorf("%v after %d batches and %d pictures", err, len(counting.sizes), len(list))
	}
}

// A picture with many tiles reports them as a stage within that of the pictures.
func TestManyTilesAreReported(t *testing.T) {
	d := open(t)
	path := large(t, 32*120, 32)
	var seen eventList
	if _, err := predict(t.Context(), t, d, tiling.Options{Size: 32}, seen.emit, large(t, 65, 64), path); err != nil {
		t.Fatal(err)
	}
	const stage = "tiles of large.png"
	started, last, done := 0, events.Progress{}, 0
	for _, event := range seen {
		switch event := event.(type) {
		case events.StageStarted:
			if event.Within == "predict" && event.Stage == stage && event.Total == 120 {
				started++
			}
		case events.Progress:
			if event.Stage == stage {
				last = event
			}
		case events.StageDone:
			if event.Stage == stage {
				done++
			}
		}
	}
	if started != 1 || done != 1 || last.Done != 120 || last.Total != 120 {
		t.Errorf("started %d times, done %d times, last %+v", started, done, last)
	}
}

// Values that a method has are raised to the largest of the tiles'; others stay nil.
func TestTakeLargest(t *testing.T) {
	var s scoring.Scored
	for _, value := range []float32{-3, 2, 1} {
		takeLargest(&s, scoring.Scored{Score: 0.1 * value, RawMapMax: &value})
	}
	if s.Score != 0.1*float32(2) || s.RawMapMax == nil || *s.RawMapMax != 2 || s.ClassProbability != nil {
		t.Errorf("%+v", s)
	}
}
