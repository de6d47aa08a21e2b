package report

import (
	"encoding/json"

	"acdclip/pkg/conditions"
)

// Evaluation is the result of scoring target datasets, and where it comes from.
type Evaluation struct {
	Provenance Provenance `json:"provenance"`
	Results    []Result   `json:"results"`

	Conditions conditions.Record `json:"conditions"` // what all numbers depend on; the results have more
}

// Names of conditions of an Evaluation that are looked up.
const (
	GatesCondition = "--gates"     // "true" where the weights of the fusion gateway were kept
	MapsCondition  = "--save-maps" // the format of the anomaly maps that were saved, "" for none
)

// Provenance is what all results of one evaluation share and a reader needs to repeat them.
type Provenance struct {
	Version   string `json:"version"`    // of acdclip
	Libtorch  string `json:"libtorch"`   // its version
	Device    string `json:"device"`     // the processor's or the accelerator's kind
	Precision string `json:"precision"`  // such as "fp32"
	Threads   int    `json:"threads"`    // of libtorch
	Seed      uint64 `json:"seed"`       // of what is drawn at random
	CLIP      Source `json:"clip"`       // the frozen weights
	ImageSize int    `json:"image_size"` // a side of the maps on which pixel metrics are computed

	// Config is the complete configuration, as JSON.
	Config json.RawMessage `json:"config,omitempty"`
}

// Source is a file or folder, and the fingerprint of what it holds.
type Source struct {
	Path        string `json:"path"`
	Fingerprint string `json:"fingerprint"`
}

// Result is one target dataset scored with one checkpoint.
type Result struct {
	Target     string     `json:"target"`
	Domain     string     `json:"domain"`               // of the target, which chooses the score's weights and the smoothing
	Benchmark  string     `json:"benchmark,omitempty"`  // its key, where the target is a known one
	Deviations []string   `json:"deviations,omitempty"` // why it does not compare with what is published of the benchmark
	ListHash   string     `json:"list_hash"`            // of the target's pictures and labels
	MaskPolicy string     `json:"mask_policy"`          // which mask values count as anomalous
	Checkpoint Checkpoint `json:"checkpoint"`
	Leak       bool       `json:"leak,omitempty"` // the checkpoint was trained on the target itself, or on files of it: not zero-shot
	Classes    []Row      `json:"classes"`

	Conditions conditions.Record `json:"conditions"` // what its numbers depend on
}

// Row is one class of a target. Its pixel metrics pool the pixels of all of its pictures.
type Row struct {
	Class  string `json:"class"`
	Prompt string `json:"prompt"` // the class's prompt name
	Counts
	Metrics Metrics `json:"-"` // beside the others in JSON
}

// Counts are numbers of pictures.
type Counts struct {
	Normal    int `json:"normal"`    // scored
	Anomalous int `json:"anomalous"` // scored
	Failed    int `json:"failed"`    // that could not be read and count nowhere else
}

// MarshalJSON puts the metrics beside the counts.
func (r Row) MarshalJSON() ([]byte, error) {
	type plain Row // without this method
	return joined(plain(r), r.Metrics)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Row) UnmarshalJSON(text []byte) (err error) {
	type plain Row
	if err := json.Unmarshal(text, (*plain)(r)); err != nil {
		return err
	}
	r.Metrics, err = metricsIn(text, "class", "prompt", "normal", "anomalous", "failed")
	return err
}

// Mean is the mean row of a target.
type Mean struct {
	Counts          // sums over the classes
	Metrics Metrics `json:"-"` // each the mean over the classes for which it is defined
}

// MarshalJSON puts the metrics beside the counts.
func (m Mean) MarshalJSON() ([]byte, error) { return joined(m.Counts, m.Metrics) }

// Mean takes the mean over the result's classes.
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

// Failed counts the pictures that could not be scored, among all, over all results.
func (e *Evaluation) Failed() (failed, total int) {
	for i := range e.Results {
		counts := e.Results[i].Mean().Counts
		failed += counts.Failed
		total += counts.Normal + counts.Anomalous + counts.Failed
	}
	return failed, total
}

// MarshalJSON adds the mean row, and the paper's figures where it has some.
func (r Result) MarshalJSON() ([]byte, error) {
	type plain Result // without this method
	return json.Marshal(struct {
		plain
		Mean  Mean        `json:"mean"`
		Paper *comparison `json:"paper,omitempty"`
	}{plain(r), r.Mean(), r.compare()})
}

// MarshalJSON adds what several seeds of one setup have in common.
func (e Evaluation) MarshalJSON() ([]byte, error) {
	type plain Evaluation // without this method
	return json.Marshal(struct {
		plain
		Seeds []seedsSummary `json:"seeds,omitempty"`
	}{plain(e), e.seedsSummaries()})
}
