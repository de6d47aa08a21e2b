package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data"
	"acdclip/pkg/data/picture"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
)

// MapOptions say how EvaluateMaps reads.
type MapOptions struct {
	Workers int // goroutines that read; 0: GOMAXPROCS
	Decode  picture.DecodeOptions
	Pixels  metrics.Options

	// MaskThreshold is the grey value from which on a mask's pixel is anomalous; 0: any but zero.
	MaskThreshold uint8
}

// ErrMapSize reports an anomaly map and a mask of different sizes.
var ErrMapSize = errors.New("the mask has another size than the map")

// EvaluateMaps computes the metrics of any method's anomaly maps beside their masks,
// at the maps' own size. A picture is anomalous where its mask marks a pixel, and
// its image score is its map's maximum. The result does not depend on the number
// of workers. An error names the file.
func EvaluateMaps(ctx context.Context, pairs []data.MapPair, o MapOptions, emit func(report.Event)) (report.MapMetrics, error) {
	const stage = "metrics"
	start := time.Now()
	emit(report.StageStarted{Stage: stage, Unit: "maps", Total: len(pairs)})
	workers := min(len(pairs), runtime.GOMAXPROCS(0))
	if o.Workers > 0 {
		workers = min(len(pairs), o.Workers)
	}
	scored := mapScores{scores: make([]float32, len(pairs)), labels: make([]bool, len(pairs)), threshold: max(o.MaskThreshold, picture.NonZero)}
	pixels, err := metrics.NewPixels(o.Pixels)
	if err != nil {
		return report.MapMetrics{}, err
	}
	defer pixels.Close()
	var lock sync.Mutex
	count := 0
	group, reading := errgroup.WithContext(ctx)
	for w := range workers {
		group.Go(func() error {
			var ready metrics.Picture
			for i := w; i < len(pairs); i += workers {
				if err := reading.Err(); err != nil {
					return err
				}
				if err := scored.read(&ready, i, pairs[i], o.Decode); err != nil {
					return err
				}
				lock.Lock()
				err := pixels.AddPicture(&ready)
				count++
				emit(report.Progress{Stage: stage, Done: count, Total: len(pairs)})
				lock.Unlock()
				if err != nil {
					return fmt.Errorf("%s: %w", pairs[i].Map, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return report.MapMetrics{}, err
	}
	result, err := scored.metrics(pixels)
	result.FPRLimit = cmp.Or(o.Pixels.FPRLimit, metrics.DefaultFPRLimit)
	if scored.fringed.count > 0 {
		emit(report.Warning{Text: fmt.Sprintf("%d of the masks are JPEG files with values between black and white, such as %s: their fringe counts as anomalous too; --mask-threshold 128 leaves it out", scored.fringed.count, scored.fringed.first)})
	}
	emit(report.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	return result, err
}

// mapScores are the image scores and labels of maps, by their places.
type mapScores struct {
	scores    []float32
	labels    []bool
	threshold uint8 // of masks

	lock    sync.Mutex
	fringed struct { // JPEG masks with a fringe that counts
		count int
		first string // by name
	}
}

// read reads one map and its mask.
func (s *mapScores) read(ready *metrics.Picture, i int, pair data.MapPair, decode picture.DecodeOptions) error {
	m, err := anomalymap.Read(pair.Map, anomalymap.Options{MaxPixels: decode.MaxPixels})
	if err != nil {
		return err
	}
	var mask []uint8
	if pair.Mask != "" {
		grey, _, err := picture.DecodeMask(pair.Mask, s.threshold, decode, picture.Upright)
		if err != nil {
			return fmt.Errorf("mask: %w", err)
		}
		if grey.Width != m.Width || grey.Height != m.Height {
			return fmt.Errorf("%w: %s has %d x %d pixels, %s has %d x %d; scale one to the other", ErrMapSize, pair.Mask, grey.Width, grey.Height, pair.Map, m.Width, m.Height)
		}
		if s.threshold == picture.NonZero && isJPEG(pair.Mask) && slices.ContainsFunc(grey.Pix, func(v uint8) bool { return v > 0 && v < 255 }) {
			s.noteFringe(pair.Mask)
		}
		grey.Binary(s.threshold)
		mask = grey.Pix
	}
	if err := ready.Set(m.Scores, mask, m.Width, m.Height); err != nil {
		return fmt.Errorf("%s: %w", pair.Map, err)
	}
	s.scores[i], s.labels[i] = slices.Max(m.Scores), slices.Contains(mask, 1)
	return nil
}

func isJPEG(path string) bool {
	extension := strings.ToLower(filepath.Ext(path))
	return extension == ".jpg" || extension == ".jpeg"
}

func (s *mapScores) noteFringe(mask string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.fringed.count++; s.fringed.first == "" || mask < s.fringed.first {
		s.fringed.first = mask
	}
}

func (s *mapScores) metrics(pixels *metrics.Pixels) (report.MapMetrics, error) {
	result := report.MapMetrics{Maps: len(s.labels)}
	for _, anomalous := range s.labels {
		if anomalous {
			result.Anomalous++
		} else {
			result.Normal++
		}
	}
	if err := setImageMetrics(&result.Metrics, s.scores, s.labels); err != nil {
		return result, err
	}
	return result, setPixelMetrics(&result.Metrics, pixels)
}

// setImageMetrics computes the metrics of pictures; where they are not defined they stay nil.
func setImageMetrics(m *report.Metrics, scores []float32, labels []bool) error {
	ranking, err := metrics.Rank(scores, labels)
	switch {
	case errors.Is(err, metrics.ErrOneClass):
		return nil
	case err != nil:
		return fmt.Errorf("image metrics: %w", err)
	}
	m.ImageAUROC, m.ImageAP, m.ImageF1Max = &ranking.AUROC, &ranking.AP, &ranking.F1Max
	return nil
}

// setPixelMetrics computes the metrics of pixels; where they are not defined they stay nil.
func setPixelMetrics(m *report.Metrics, pixels *metrics.Pixels) error {
	summary, err := pixels.Summary()
	switch {
	case errors.Is(err, metrics.ErrOneClass):
		return nil
	case err != nil:
		return fmt.Errorf("pixel metrics: %w", err)
	}
	m.PixelAUROC, m.PixelAP, m.PixelF1Max, m.PixelAUPRO = &summary.AUROC, &summary.AP, &summary.F1Max, &summary.AUPRO
	return nil
}
