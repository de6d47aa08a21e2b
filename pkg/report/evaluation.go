package report

import (
	"encoding/json"
	"slices"

	"acdclip/pkg/conditions"
)

// Evaluation holds the results of scoring target datasets, and their provenance.
type Evaluation struct {
	Provenance Provenance `json:"provenance"`
	Results    []Result   `json:"results"`

	// Beside are other methods on the same targets, which were not evaluated here.
	Beside []OtherMethod `json:"beside,omitempty"`

	Conditions conditions.Record `json:"conditions"` // what all numbers depend on; each result adds its own
}

// Names of conditions of an Evaluation that the program looks up.
const (
	GatesCondition = "--gates"                           // "true" if the weights of the fusion gateway were saved
	FilesCondition = "--save-maps, --figures and --html" // the files that were written for each picture, "" for none
	RawCondition   = "--raw-scores"                      // "true" if the methods' own values are written with the scores
)

// Provenance holds what a reader needs to repeat an evaluation; all its results share it.
type Provenance struct {
	Version   string `json:"version"`    // of acdclip
	Libtorch  string `json:"libtorch"`   // its version
	Device    string `json:"device"`     // the processor's or the accelerator's kind
	Precision string `json:"precision"`  // such as "fp32"
	Threads   int    `json:"threads"`    // of libtorch
	Seed      uint64 `json:"seed"`       // of random numbers
	CLIP      Source `json:"clip"`       // the frozen weights
	ImageSize int    `json:"image_size"` // side in pixels of the maps that pixel metrics are computed on

	// Config is the complete configuration, as JSON.
	Config json.RawMessage `json:"config,omitempty"`
}

// Source is a file or folder and the fingerprint of its content.
type Source struct {
	Path        string `json:"path"`
	Fingerprint string `json:"fingerprint"`
}

// Result is one target dataset scored with one checkpoint.
type Result struct {
	Target     string     `json:"target"`
	Domain     string     `json:"domain"`               // of the target; selects the score's weights and the smoothing
	Benchmark  string     `json:"benchmark,omitempty"`  // its key, if the target is a benchmark
	Deviations []string   `json:"deviations,omitempty"` // why it is not comparable with published results on the benchmark
	ListHash   string     `json:"list_hash"`            // of the target's pictures and labels
	MaskPolicy string     `json:"mask_policy"`          // which mask values count as anomalous
	Checkpoint Checkpoint `json:"checkpoint"`
	CLIP       *Source    `json:"clip,omitempty"`       // its CLIP, if models are compared
	ImageSize  int        `json:"image_size,omitempty"` // the size that it was scored at, if that is not the Provenance's
	ScoreRule  string     `json:"score_rule,omitempty"` // how image scores follow from the method's; see section.ScoreRule
	Leak       bool       `json:"leak,omitempty"`       // the checkpoint was trained on the target or some of its files: not zero-shot
	Classes    []Row      `json:"classes"`

	Conditions conditions.Record `json:"conditions"` // what its numbers depend on
}

// Row is the result for one class of a target. Its pixel metrics pool the pixels of all the class's pictures.
type Row struct {
	Class  string `json:"class"`
	Prompt string `json:"prompt"` // the class's prompt name
	Counts
	F1Thresholds *F1Thresholds `json:"f1_thresholds,omitempty"` // nil without metrics
	Metrics      Metrics       `json:"-"`                       // in JSON at the level of the other fields
}

// Counts are numbers of pictures.
type Counts struct {
	Normal    int `json:"normal"`    // scored
	Anomalous int `json:"anomalous"` // scored
	Failed    int `json:"failed"`    // could not be read; not counted above
}

// MarshalJSON writes the metrics at the same level as the counts.
func (r Row) MarshalJSON() ([]byte, error) {
	type plain Row // without this method
	return joined(plain(r), r.Metrics)
}

// UnmarshalJSON decodes the output of MarshalJSON.
func (r *Row) UnmarshalJSON(text []byte) (err error) {
	type plain Row
	if err := json.Unmarshal(text, (*plain)(r)); err != nil {
		return err
	}
	r.Metrics, err = metricsIn(text, "class", "prompt", "normal", "anomalous", "failed", "f1_thresholds")
	return err
}

// Mean is the mean row of a target.
type Mean struct {
	Counts          // sums over the classes
	Metrics Metrics `json:"-"` // each is the mean over the classes that define it
}

// MarshalJSON writes the metrics at the same level as the counts.
func (m Mean) MarshalJSON() ([]byte, error) { return joined(m.Counts, m.Metrics) }

// Mean computes the mean row over the result's classes.
func (r *Result) Mean() Mean {
	var mean Mean
	all := make([]Metrics, len(r.Classes))
	for i, row := range r.Classes {
		mean.Normal += row.Normal
		mean.Anomalous += row.Anomalous
		mean.Failed += row.Failed
		all[i] = row.Metrics
	}
	mean.Metrics = meanMetrics(all)
	return mean
}

// WantsRaw reports whether the methods' own values are to be written with the scores.
func (e *Evaluation) WantsRaw() bool {
	return slices.ContainsFunc(e.Conditions, func(c conditions.Condition) bool { return c.Name == RawCondition && c.Value == "true" })
}

// Failed returns the number of pictures that could not be scored and the number of all pictures, over all results.
func (e *Evaluation) Failed() (failed, total int) {
	for i := range e.Results {
		counts := e.Results[i].Mean().Counts
		failed += counts.Failed
		total += counts.Normal + counts.Anomalous + counts.Failed
	}
	return failed, total
}

// MarshalJSON adds the mean row, and the comparison with the paper if there is one.
func (r Result) MarshalJSON() ([]byte, error) {
	type plain Result // without this method
	return json.Marshal(struct {
		plain
		Mean  Mean        `json:"mean"`
		Paper *comparison `json:"paper,omitempty"`
	}{plain(r), r.Mean(), r.compare()})
}

// MarshalJSON adds a summary for each setup with several seeds.
func (e Evaluation) MarshalJSON() ([]byte, error) {
	type plain Evaluation // without this method
	return json.Marshal(struct {
		plain
		Seeds []seedsSummary `json:"seeds,omitempty"`
	}{plain(e), e.seedsSummaries()})
}
