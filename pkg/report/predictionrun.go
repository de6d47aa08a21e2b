package report

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"acdclip/pkg/conditions"
)

// PredictionRun says what made a folder of predictions. It is the file run.json beside the rows.
type PredictionRun struct {
	Provenance Provenance `json:"provenance"`
	Checkpoint Checkpoint `json:"checkpoint"` // its path is "" for a method that trains nothing
	Class      string     `json:"class"`      // what the prompts say the pictures show
	Domain     string     `json:"domain"`
	Thresholds Thresholds `json:"thresholds"`

	Pictures  int       `json:"pictures"`  // rows in the file, with those of earlier runs that were resumed
	Failed    int       `json:"failed"`    // of these could not be scored
	Anomalous *int      `json:"anomalous"` // of these have at least the threshold; null without one
	Started   time.Time `json:"started"`   // the last run
	Seconds   *float64  `json:"seconds"`   // its time; null while it runs, and if it was stopped

	Conditions conditions.Record `json:"conditions"` // what the rows depend on
}

// Thresholds decide what counts as anomalous.
type Thresholds struct {
	Score  *float32 `json:"score"`  // of pictures; null for none
	Pixel  *float32 `json:"pixel"`  // of anomaly maps; null for none
	Source string   `json:"source"` // where they come from, such as "--threshold"; "" for none
}

// WriteJSON writes the run as indented JSON.
func (r *PredictionRun) WriteJSON(w io.Writer) error { return WriteIndented(w, r) }

// ReadPredictionRun reads what WriteJSON wrote.
func ReadPredictionRun(r io.Reader) (*PredictionRun, error) {
	const largest = 16 << 20 // bytes
	var run PredictionRun
	if err := json.NewDecoder(io.LimitReader(r, largest)).Decode(&run); err != nil {
		return nil, fmt.Errorf("reading what made the predictions: %w", err)
	}
	return &run, nil
}
