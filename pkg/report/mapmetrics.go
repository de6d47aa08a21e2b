package report

import (
	"io"
	"strconv"

	"acdclip/pkg/metrics"
)

// MapMetrics is the judgement of a folder of anomaly maps.
type MapMetrics struct {
	Maps      int
	Normal    int // maps whose mask marks nothing, or that need none
	Anomalous int // maps whose mask marks a pixel
	Metrics   Metrics
	FPRLimit  float64 // the false-positive rate that AUPRO goes to
}

// MarshalJSON puts the metrics beside the counts.
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
		notes:   []string{"Metrics are in percent; n/a: not defined, since it needs both normal and anomalous ones. An image score is its map's maximum. AUPRO goes to a false-positive rate of " + strconv.FormatFloat(m.FPRLimit, 'g', -1, 64) + "."},
	}
	row := []string{strconv.Itoa(m.Normal), strconv.Itoa(m.Anomalous)}
	for _, metric := range metrics.Table {
		t.heading = append(t.heading, metric.Title)
		row = append(row, percent(m.Metrics.Get(metric.Name)))
	}
	t.sections = [][][]string{{row}}
	return t
}
