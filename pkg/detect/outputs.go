package detect

import (
	"errors"
	"math"

	"acdclip/cgo/torch"
	"acdclip/pkg/anomalymap"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/model"
	"acdclip/pkg/scoring"
)

// errNotFinite reports a score that is NaN or infinite.
var errNotFinite = errors.New("the model returned a score that is not a finite number")

// results are a method's scores for B pictures on their way to the host.
type results struct {
	readback *torch.Readback // the tensors of outputs in their order, then the extras
	extras   []string        // names
}

// startReading starts to copy a method's scores to the host. rawMaps says whether the method's
// own maps are wanted too. The largest values of maps are found on the device.
func startReading(rt *torch.Runtime, scores model.Scores, rawMaps bool) *results {
	var raw, rawMaxima torch.Tensor
	if scores.RawMaps.Defined() {
		rawMaxima = scores.RawMaps.AMax(1, 2)
		if rawMaps {
			raw = scores.RawMaps
		}
	}
	r := &results{}
	tensors := []torch.Tensor{scores.Maps, scores.Maps.AMax(1, 2), scores.Image, scores.ClassProbabilities, raw, rawMaxima}
	for _, extra := range scores.Extras {
		r.extras = append(r.extras, extra.Name)
		tensors = append(tensors, extra.Values)
	}
	r.readback = rt.ReadBack(tensors...)
	return r
}

// read waits for the scores and returns them. It must be called inside Do.
func (r *results) read() outputs {
	values := r.readback.Float32s()
	out := outputs{
		maps: values[0], maxima: values[1], scores: values[2], probabilities: values[3],
		rawMaps: values[4], rawMaxima: values[5], extras: make(map[string][]float32, len(r.extras)),
	}
	for i, name := range r.extras {
		out.extras[name] = values[6+i]
	}
	return out
}

func (r *results) close() {
	_ = r.readback.Close() // fails only if the Runtime is already closed
}

// outputs are a method's scores for B pictures, on the host.
type outputs struct {
	maps, maxima          []float32            // maxima are the largest values of each map, [B]
	scores, probabilities []float32            // probabilities are nil if the method has none
	rawMaps, rawMaxima    []float32            // nil where the maps are the method's own
	extras                map[string][]float32 // by name, for all pictures
}

// of returns the outputs for each of the pictures; size is the side of the maps.
func (o *outputs) of(pictures []pixels.Picture, size int) []scoring.Scored {
	scored := make([]scoring.Scored, len(pictures))
	for i, picture := range pictures {
		scored[i].Picture = picture
		o.fill(&scored[i], i, size)
	}
	return scored
}

// fill stores the outputs for picture i in s.
func (o *outputs) fill(s *scoring.Scored, i, size int) {
	plane := size * size
	mapOf := func(maps []float32) *anomalymap.Map {
		return &anomalymap.Map{Width: size, Height: size, Scores: maps[i*plane : (i+1)*plane]}
	}
	s.Map = mapOf(o.maps)
	if o.rawMaps != nil {
		s.RawMap = mapOf(o.rawMaps)
	}
	if o.rawMaxima != nil {
		s.RawMapMax = &o.rawMaxima[i]
	}
	s.Score = withinOne(o.scores[i])
	s.MapMax = withinOne(o.maxima[i])
	if o.probabilities != nil {
		s.ClassProbability = new(withinOne(o.probabilities[i]))
	}
	for name, values := range o.extras {
		if s.Extras == nil {
			s.Extras = map[string][]float32{}
		}
		each := len(values) / len(o.scores)
		s.Extras[name] = values[i*each : (i+1)*each]
	}
	if sum := float64(s.Score) + float64(s.MapMax); math.IsNaN(sum) || math.IsInf(sum, 0) {
		s.Err = errNotFinite
	}
}

// withinOne clamps a score to [0, 1], which rounding can exceed. NaN stays NaN.
func withinOne(score float32) float32 { return max(0, min(1, score)) }
