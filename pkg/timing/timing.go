// Package timing holds how long the stages of scoring and training took in several rounds,
// and writes that as a table or as JSON.
package timing

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Stage is one part of the work.
type Stage struct {
	Name    string
	Per     string    // what the times are for: "picture", "class", or "" for the whole stage
	Seconds []float64 // of each round, at least one
}

// Median returns the median of the rounds in seconds; of an even number of rounds the mean
// of the two in the middle.
func (s Stage) Median() float64 {
	sorted := slices.Sorted(slices.Values(s.Seconds))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Least returns the shortest round in seconds.
func (s Stage) Least() float64 { return slices.Min(s.Seconds) }

// Spread returns how much longer the longest round took than the shortest, in seconds.
func (s Stage) Spread() float64 { return slices.Max(s.Seconds) - s.Least() }

// MarshalJSON adds median, least and spread.
func (s Stage) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name    string    `json:"stage"`
		Per     string    `json:"per,omitempty"`
		Median  float64   `json:"median"`
		Least   float64   `json:"least"`
		Spread  float64   `json:"spread"`
		Seconds []float64 `json:"seconds"`
	}{s.Name, s.Per, s.Median(), s.Least(), s.Spread(), s.Seconds})
}

// Stages are stages in the order of the work.
type Stages []Stage

// Add adds a round to a stage, which is new if it has no round yet.
func (s *Stages) Add(name, per string, seconds float64) {
	if i := slices.IndexFunc(*s, func(each Stage) bool { return each.Name == name }); i >= 0 {
		(*s)[i].Seconds = append((*s)[i].Seconds, seconds)
		return
	}
	*s = append(*s, Stage{name, per, []float64{seconds}})
}

// find returns a stage by its name.
func (s Stages) find(name string) (Stage, bool) {
	i := slices.IndexFunc(s, func(each Stage) bool { return each.Name == name })
	if i < 0 {
		return Stage{}, false
	}
	return s[i], true
}

// Format is what was measured in one number format of CLIP's matrices.
type Format struct {
	Precision      string `json:"precision"`
	Stages         Stages `json:"stages"`
	PeakMemory     int64  `json:"peak_memory"`               // bytes while pictures were scored; 0 if unknown
	TrainingMemory int64  `json:"training_memory,omitempty"` // bytes at the peak of a training step; 0 if unknown or not measured
}

// Report is everything that was measured, and on what.
type Report struct {
	Version      string `json:"version"` // of this program
	Libtorch     string `json:"libtorch"`
	Device       string `json:"device"` // "cpu" or "cuda:0"
	CPU          string `json:"cpu"`
	Instructions string `json:"instructions"` // instruction set of the CPU that libtorch uses, or the GPU's name
	Threads      int    `json:"threads"`

	Method     string `json:"method"`
	CLIP       string `json:"clip"`
	Checkpoint string `json:"checkpoint,omitempty"`
	ImageSize  int    `json:"image_size"` // side of the model's pictures in pixels
	Pictures   string `json:"pictures"`   // that were scored, in words
	Batch      int    `json:"batch"`
	Rounds     int    `json:"rounds"`

	Common  Stages   `json:"common"` // stages that no number format changes
	Formats []Format `json:"formats"`
	Peaks   bool     `json:"peak_memory_of_each"` // the peak of each format is its own; else it holds all that ran before
}

// reference is the format that others are compared with.
const reference = "fp32"

// ratio returns a stage's median as a multiple of that in fp32; "" without one.
func (r *Report) ratio(format Format, stage Stage) string {
	i := slices.IndexFunc(r.Formats, func(f Format) bool { return f.Precision == reference })
	if i < 0 || format.Precision == reference {
		return ""
	}
	whole, found := r.Formats[i].Stages.find(stage.Name)
	if !found || whole.Median() <= 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", stage.Median()/whole.Median())
}
