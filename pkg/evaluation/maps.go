package evaluation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
)

// MapOptions configure EvaluateMaps.
type MapOptions struct {
	Workers int // reading goroutines; 0: GOMAXPROCS
	Decode  picture.DecodeOptions
	Pixels  metrics.Options

	// MaskThreshold is the smallest grey value of a mask that counts as anomalous; 0: any
	// value but zero.
	MaskThreshold uint8
}

// ErrMapSize reports an anomaly map and a mask of different sizes.
var ErrMapSize = errors.New("the sizes of mask and map differ")

// readerBytes estimates the memory that reading a map and its mask takes, for 1,000 x
// 1,000 pixels.
const readerBytes = 16 << 20

// EvaluateMapClasses is EvaluateMaps for each class of the maps, in the order of their names.
func EvaluateMapClasses(ctx context.Context, pairs []data.MapPair, o MapOptions, emit func(events.Event)) (report.MapClasses, error) {
	byClass := map[string][]data.MapPair{}
	for _, pair := range pairs {
		byClass[pair.Class] = append(byClass[pair.Class], pair)
	}
	var classes report.MapClasses
	for _, class := range slices.Sorted(maps.Keys(byClass)) {
		result, err := EvaluateMaps(ctx, byClass[class], o, emit)
		if err != nil {
			return nil, err
		}
		result.Class = class
		classes = append(classes, result)
	}
	return classes, nil
}

// EvaluateMaps computes the metrics of any method's anomaly maps with their masks, at the
// maps' own size. A map's folder decides whether its picture is anomalous, as in an
// evaluation; the mask of a normal picture is not read. If the folder does not tell, the
// picture is anomalous if its mask marks a pixel. The image score is the pair's, or the map's
// maximum if it has none. The result does not depend on the number of workers. Errors name the
// file; without maps the error is data.ErrNoPictures.
func EvaluateMaps(ctx context.Context, pairs []data.MapPair, o MapOptions, emit func(events.Event)) (report.MapMetrics, error) {
	const stage = "metrics"
	if len(pairs) == 0 {
		return report.MapMetrics{}, fmt.Errorf("metrics: no anomaly maps: %w", data.ErrNoPictures)
	}
	start := time.Now()
	emit(events.StageStarted{Stage: stage, Unit: "maps", Total: len(pairs)})
	memory := cmp.Or(o.Pixels.Memory, metrics.DefaultMemory)
	workers := cmp.Or(o.Workers, runtime.GOMAXPROCS(0)+1) // one more, because a worker may wait to add its pixels
	workers = min(len(pairs), workers, int(max(1, memory/8/readerBytes)))
	if o.Pixels.Memory > 0 {
		o.Pixels.Memory = max(memory-int64(workers)*readerBytes, 1)
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
				emit(events.Progress{Stage: stage, Done: count, Total: len(pairs)})
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
	for _, warning := range scored.warnings() {
		emit(warning)
	}
	emit(events.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	return result, err
}

// mapScores holds the image scores and labels of maps, by the index of the map.
type mapScores struct {
	scores    []float32
	labels    []bool
	threshold uint8 // of masks

	lock    sync.Mutex
	fringed oddMasks // JPEG masks with grey edges that count as anomalous
	empty   oddMasks // masks that mark nothing although the folder says anomalous
	guessed oddMasks // masks that mark nothing, in no telling folder; the pictures count as normal
	full    oddMasks // masks that mark every pixel
}

// oddMasks counts unusual masks for a warning.
type oddMasks struct {
	count int
	first string // the first by name
}

func (o *oddMasks) add(mask string) {
	if o.count++; o.first == "" || mask < o.first {
		o.first = mask
	}
}

// warnings returns a warning for each kind of unusual masks.
func (s *mapScores) warnings() []events.Warning {
	var list []events.Warning
	for _, odd := range []struct {
		oddMasks
		text string // format, for the count and the first mask
	}{
		{s.fringed, "JPEG masks with grey edges: %d, such as %s; every value above 0 counts as anomalous; use --mask-threshold 128 to exclude the edges"},
		{s.empty, "empty masks of anomalous pictures: %d, such as %s; the pictures still count as anomalous because they are not in a folder good, ok or normal"},
		{s.guessed, "empty masks: %d, such as %s; their pictures count as normal because the maps are not in a folder that says otherwise"},
		{s.full, "masks that mark every pixel: %d, such as %s"},
	} {
		if odd.count > 0 {
			list = append(list, events.Warning{Text: fmt.Sprintf(odd.text, odd.count, odd.first)})
		}
	}
	return list
}

// read reads one map and its mask.
func (s *mapScores) read(ready *metrics.Picture, i int, pair data.MapPair, decode picture.DecodeOptions) error {
	m, err := anomalymap.Read(pair.Map, anomalymap.Options{MaxPixels: decode.MaxPixels})
	if err != nil {
		return err
	}
	mask, err := s.mask(pair, m, decode)
	if err != nil {
		return err
	}
	if err := ready.Set(m.Scores, mask, m.Width, m.Height); err != nil {
		return fmt.Errorf("%s: %w", pair.Map, err)
	}
	s.scores[i], s.labels[i] = slices.Max(m.Scores), s.label(pair, mask)
	if pair.Score != nil {
		s.scores[i] = *pair.Score
	}
	return nil
}

// mask reads the mask of a map, with values 0 and 1; nil for a normal picture or without a mask file.
func (s *mapScores) mask(pair data.MapPair, m *anomalymap.Map, decode picture.DecodeOptions) ([]uint8, error) {
	if pair.Label == data.LabelNormal {
		return nil, nil
	}
	var all []uint8
	for _, path := range pair.Masks {
		part, err := s.readMask(path, pair.Map, m, decode)
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = part
			continue
		}
		for i, marked := range part {
			all[i] |= marked
		}
	}
	return all, nil
}

// readMask reads one file of a map's mask.
func (s *mapScores) readMask(path, of string, m *anomalymap.Map, decode picture.DecodeOptions) ([]uint8, error) {
	grey, _, err := picture.DecodeMask(path, s.threshold, decode, picture.Upright)
	if err != nil {
		return nil, fmt.Errorf("mask: %w", err)
	}
	if grey.Width != m.Width || grey.Height != m.Height {
		return nil, fmt.Errorf("%w: %s has %d x %d pixels, %s has %d x %d; scale one to the size of the other", ErrMapSize, path, grey.Width, grey.Height, of, m.Width, m.Height)
	}
	if s.threshold == picture.NonZero && data.IsJPEG(path) && slices.ContainsFunc(grey.Pix, func(v uint8) bool { return v > 0 && v < 255 }) {
		s.note(&s.fringed, path)
	}
	grey.Binary(s.threshold)
	return grey.Pix, nil
}

// label reports whether a picture is anomalous, and counts its mask if it is unusual.
func (s *mapScores) label(pair data.MapPair, mask []uint8) bool {
	if len(pair.Masks) == 0 || pair.Label == data.LabelNormal {
		return false
	}
	marked, name := slices.Contains(mask, 1), pair.Masks[0]
	switch {
	case !marked && pair.Label == data.LabelAnomalous:
		s.note(&s.empty, name)
	case !marked:
		s.note(&s.guessed, name)
	case !slices.Contains(mask, 0):
		s.note(&s.full, name)
	}
	return marked || pair.Label == data.LabelAnomalous
}

func (s *mapScores) note(odd *oddMasks, mask string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	odd.add(mask)
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
	var err error
	result.Metrics, _, err = report.MetricsOf(s.scores, s.labels, pixels)
	return result, err
}
