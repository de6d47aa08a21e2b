package report

import (
	"io"
	"strconv"
)

// MapMetrics is the judgement of a folder of anomaly maps.
type MapMetrics struct {
	Maps      int `json:"maps"`
	Normal    int `json:"normal"`    // maps whose mask marks nothing, or that need none
	Anomalous int `json:"anomalous"` // maps whose mask marks a pixel
	Metrics
	FPRLimit float64 `json:"fpr_limit"` // the false-positive rate that AUPRO goes to
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
	for _, metric := range metrics {
		t.heading = append(t.heading, metric.title)
		row = append(row, percent(*metric.of(&m.Metrics)))
	}
	t.sections = [][][]string{{row}}
	return t
}
