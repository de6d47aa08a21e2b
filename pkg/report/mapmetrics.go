package report

import (
	"io"
	"strconv"

	"acdclip/pkg/metrics"
)

// MapMetrics holds the metrics of a folder of anomaly maps.
type MapMetrics struct {
	Maps      int
	Normal    int // maps whose mask marks nothing, or that need no mask
	Anomalous int // maps whose mask marks a pixel
	Metrics   Metrics
	FPRLimit  float64 // the maximum false-positive rate of AUPRO
}

// MarshalJSON writes the metrics at the same level as the counts.
func (m MapMetrics) MarshalJSON() ([]byte, error) {
	return joined(struct {
		Maps      int `json:"maps"`
		Normal    int `json:"normal"`
		Anomalous int `json:"anomalous"`
	}{m.Maps, m.Normal, m.Anomalous}, m.Metrics, struct {
		FPRLimit float64 `json:"fpr_limit"`
	}{m.FPRLimit})
}

// Write writes the metrics in the given format: percent in tables, fractions in JSON.
func (m *MapMetrics) Write(w io.Writer, format Format) error {
	return writeAs(w, format, only(m.table), func(w io.Writer) error { return WriteIndented(w, m) })
}

func (m *MapMetrics) table() *table {
	t := &table{
		heading: []string{"normal", "anomalous"},
		notes:   []string{"Metrics are in percent; n/a: undefined without both normal and anomalous maps or pixels. The image score is the map's maximum. AUPRO is computed up to a false-positive rate of " + strconv.FormatFloat(m.FPRLimit, 'g', -1, 64) + "."},
	}
	row := []string{strconv.Itoa(m.Normal), strconv.Itoa(m.Anomalous)}
	for _, metric := range metrics.Table {
		t.heading = append(t.heading, metric.Title)
		row = append(row, percent(m.Metrics.Get(metric.Name)))
	}
	t.sections = [][][]string{{row}}
	return t
}
