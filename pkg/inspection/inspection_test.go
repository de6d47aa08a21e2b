package inspection

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/batching"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/domain"
	"acdclip/pkg/scoring"
)

const side = 16

// fake is a model whose map is the picture's first channel; its score is the map's largest
// value, and 1 minus that in the medical domain. It is not safe for concurrent use.
type fake struct {
	closed  bool
	prompts map[string]int
}

func (f *fake) Size() int { return side }
func (f *fake) Close()    { f.closed = true }

var errNotFinite = errors.New("not finite")

func (f *fake) Score(_ context.Context, classes domain.Classes, pictures []pixels.Picture, classOf []int) ([]scoring.Scored, error) {
	scored := make([]scoring.Scored, len(pictures))
	for i, p := range pictures {
		f.prompts[classes.Prompts[classOf[i]]]++
		m := &anomalymap.Map{Width: side, Height: side, Scores: make([]float32, side*side)}
		for at := range m.Scores {
			m.Scores[at] = float32(p.Pix[3*at]) / 255
			scored[i].MapMax = max(scored[i].MapMax, m.Scores[at])
		}
		scored[i].Score, scored[i].Map = scored[i].MapMax, m
		if classes.Domain == domain.Medical {
			scored[i].Score = 1 - scored[i].Score
		}
		if classes.Prompts[classOf[i]] == "no number" {
			scored[i].Err = errNotFinite
		}
	}
	return scored, nil
}

func open(t *testing.T, o Options) (*Inspector, *fake) {
	t.Helper()
	f := &fake{prompts: map[string]int{}}
	i := New(f, o)
	t.Cleanup(func() {
		i.Close()
		if !f.closed {
			t.Error("the model was not closed")
		}
	})
	return i, f
}

// noise is a picture of random values below top.
func noise(width, height, top int, seed uint64) *image.NRGBA {
	random := rand.New(rand.NewPCG(seed, 0))
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = uint8(random.IntN(top))
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	return m
}

func encoded(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Many goroutines each get the result of their own picture, encoded or not, which is that of
// the picture scaled and scored alone; the prompts are those of their classes.
func TestScore(t *testing.T) {
	i, f := open(t, Options{Batching: batching.Options{Batch: 4, Queue: 100}})
	var running sync.WaitGroup
	for n := range 40 {
		running.Go(func() {
			m := noise(20+n, 60-n, 40+5*n, uint64(n))
			p := Picture{Image: m, Class: fmt.Sprint("metal_nut ", n%3), KeepSide: 30}
			if n%2 == 0 {
				p.Encoded, p.Image = encoded(t, m), nil
			}
			result, err := i.Score(t.Context(), p)
			if err != nil {
				t.Error(err)
				return
			}
			whole, err := picture.FromImage(m, picture.DecodeOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			scaled := whole.ResizeBicubic(side, side)
			for at, value := range result.Map.Scores {
				if value != float32(scaled.Pix[3*at])/255 {
					t.Errorf("picture %d has another map", n)
					break
				}
			}
			if result.Width != 20+n || result.Height != 60-n || result.Score != result.MapMax || max(result.Small.Width, result.Small.Height) != 30 {
				t.Errorf("picture %d: %d x %d, score %v, small %d x %d", n, result.Width, result.Height, result.Score, result.Small.Width, result.Small.Height)
			}
		})
	}
	running.Wait()
	if len(f.prompts) != 3 || f.prompts["metal nut 0"] != 14 {
		t.Errorf("prompts %v", f.prompts)
	}
}

func TestDefaults(t *testing.T) {
	i, f := open(t, Options{})
	m := image.NewGray(image.Rect(0, 0, 4, 4))
	m.SetGray(0, 0, color.Gray{255})
	for of, want := range map[domain.Domain]bool{"": false, domain.Industrial: false, domain.Medical: true} {
		result, err := i.Score(t.Context(), Picture{Image: m, Domain: of})
		if err != nil || (result.Score == 1-result.MapMax) != want || result.Small != nil {
			t.Errorf("domain %q: %+v, %v", of, result, err)
		}
	}
	if f.prompts["object"] != 3 {
		t.Errorf("prompts %v", f.prompts)
	}
}

// Regions are in the picture's own pixels.
func TestRegions(t *testing.T) {
	i, _ := open(t, Options{})
	m := image.NewGray(image.Rect(0, 0, 4*side, 2*side))
	for y := range side {
		for x := range 2 * side {
			m.SetGray(x, y, color.Gray{255})
		}
	}
	result, err := i.Score(t.Context(), Picture{Image: m})
	if err != nil {
		t.Fatal(err)
	}
	found := result.Regions(0.9)
	if len(found.List) != 1 || found.List[0].Box != [4]int{0, 0, 2 * side, side} || math.Abs(found.Area-0.25) > 0.01 {
		t.Errorf("%+v", found)
	}
}

// What is wrong with a picture is a *PictureError; nothing is decoded for one that is too large.
func TestBadPictures(t *testing.T) {
	i, f := open(t, Options{Decode: picture.DecodeOptions{MaxPixels: 100}})
	for says, p := range map[string]Picture{
		"no picture was given":     {},
		"not a picture":            {Encoded: []byte("GIF or not")},
		"it contains nothing":      {Encoded: []byte{}},
		"declares 20 x 6 pixels":   {Encoded: encoded(t, noise(20, 6, 9, 1))},
		"it has 11 x 10 pixels":    {Image: noise(11, 10, 9, 1)},
		"damaged or cut short":     {Encoded: encoded(t, noise(9, 9, 9, 1))[:60]},
		"not finite":               {Image: noise(9, 9, 9, 1), Class: "no number"},
		"0 x 0 pixels":             {Image: image.NewGray(image.Rectangle{})},
		"runtime error: index out": {Image: lying{image.NewGray(image.Rect(0, 0, 3, 3))}},
	} {
		_, err := i.Score(t.Context(), p)
		if _, ok := errors.AsType[*PictureError](err); !ok || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", says, err)
		}
	}
	if load := i.Load(); load.Places != 0 {
		t.Errorf("%+v", load)
	}
	if f.prompts["object"] != 0 {
		t.Errorf("prompts %v", f.prompts)
	}
}

// lying is a picture that panics.
type lying struct{ *image.Gray }

func (l lying) At(x, _ int) color.Color { return l.Palette()[x] }
func (lying) Palette() color.Palette    { return nil }

// A picture that finds the queue full is not decoded.
func TestBusy(t *testing.T) {
	i, _ := open(t, Options{Batching: batching.Options{Queue: 1}})
	place, err := i.batcher.Take()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Score(t.Context(), Picture{Encoded: []byte("no picture")}); !errors.Is(err, batching.ErrBusy) {
		t.Error(err)
	}
	place.Release()
}

// A caller that gives up while it waits to decode leaves nothing behind.
func TestCancelledBeforeDecoding(t *testing.T) {
	i, _ := open(t, Options{})
	if err := i.small.Acquire(t.Context(), smallDecoding); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := i.Score(ctx, Picture{Image: noise(9, 9, 9, 1)}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	i.small.Release(smallDecoding)
	if load := i.Load(); load.Places != 0 {
		t.Errorf("%+v", load)
	}
	if _, err := i.Score(t.Context(), Picture{Image: noise(9, 9, 9, 1)}); err != nil {
		t.Error(err)
	}
}

func TestClosed(t *testing.T) {
	i := New(&fake{prompts: map[string]int{}}, Options{})
	i.Close()
	if _, err := i.Score(t.Context(), Picture{Image: noise(9, 9, 9, 1)}); !errors.Is(err, batching.ErrClosed) {
		t.Error(err)
	}
}

// Small pictures do not wait behind a large one that waits.
func TestLargePicturesHoldUpNoSmallOnes(t *testing.T) {
	i, _ := open(t, Options{})
	if err := i.large.Acquire(t.Context(), i.most); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := i.Score(ctx, Picture{Image: image.NewGray(image.Rect(0, 0, 4097, 4096))})
		ended <- err
	}()
	for i.Load().Places == 0 {
		time.Sleep(time.Millisecond)
	}
	if _, err := i.Score(t.Context(), Picture{Image: noise(9, 9, 9, 1)}); err != nil {
		t.Error(err)
	}
	if room, size := i.room(mostOfSmall); room != i.small || size != mostOfSmall {
		t.Error("16 megapixels are large")
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the large picture did not wait: %v", err)
	}
	i.large.Release(i.most)
}

// A picture that may wait for a place gets the next one.
func TestWait(t *testing.T) {
	i, _ := open(t, Options{Batching: batching.Options{Queue: 1}})
	place, err := i.batcher.Take()
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, place.Release)
	if _, err := i.Score(t.Context(), Picture{Image: noise(9, 9, 9, 1), Wait: true}); err != nil {
		t.Error(err)
	}
}
