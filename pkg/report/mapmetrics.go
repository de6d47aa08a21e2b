package report

import (
	"io"
	"slices"
	"strconv"

	"acdclip/pkg/metrics"
)

// MapMetrics holds the metrics of a folder of anomaly maps, taken as one class.
type MapMetrics struct {
	Class      string // "" if the folder is not divided into classes
	Maps       int
	Normal     int // maps whose mask marks nothing, or that need no mask
	Anomalous  int // maps whose mask marks a pixel
	Metrics    Metrics
	ScoresFrom string  // the file of the image scores; "" for the maps' maxima
	FPRLimit   float64 // the maximum false-positive rate of AUPRO
}

// MarshalJSON writes the metrics at the same level as the counts.
func (m MapMetrics) MarshalJSON() ([]byte, error) {
	return joined(struct {
		Class     string `json:"class,omitempty"`
		Maps      int    `json:"maps"`
		Normal    int    `json:"normal"`
		Anomalous int    `json:"anomalous"`
	}{EscapeName(m.Class), m.Maps, m.Normal, m.Anomalous}, m.Metrics, struct {
		FPRLimit   float64 `json:"fpr_limit"`
		ScoresFrom string  `json:"scores_from,omitempty"`
	}{m.FPRLimit, EscapeName(m.ScoresFrom)})
}

// Write writes the metrics in the given format: percent in tables, fractions in JSON.
func (m *MapMetrics) Write(w io.Writer, format Format) error {
	return writeAs(w, format, only(func() *table { return mapTable([]MapMetrics{*m}) }), func(w io.Writer) error { return WriteIndented(w, m) })
}

// MapClasses holds the metrics of several classes of anomaly maps.
type MapClasses []MapMetrics

// Mean is the mean over the classes that define a metric, as in an evaluation; counts are sums.
func (m MapClasses) Mean() MapMetrics {
	var mean MapMetrics
	all := make([]Metrics, len(m))
	for i, class := range m {
		mean.Maps += class.Maps
		mean.Normal += class.Normal
		mean.Anomalous += class.Anomalous
		mean.FPRLimit, mean.ScoresFrom = class.FPRLimit, class.ScoresFrom
		all[i] = class.Metrics
	}
	mean.Class, mean.Metrics = "mean", meanMetrics(all)
	return mean
}

// Write writes a row per class and their mean: percent in tables, fractions in JSON.
func (m MapClasses) Write(w io.Writer, format Format) error {
	mean := m.Mean()
	return writeAs(w, format, only(func() *table {
		t := mapTable(slices.Concat(m, MapClasses{mean}))
		t.lastIsMean = true
		return t
	}), func(w io.Writer) error {
		unnamed := mean
		unnamed.Class = ""
		return WriteIndented(w, struct {
			Classes MapClasses `json:"classes"`
			Mean    MapMetrics `json:"mean"`
		}{m, unnamed})
	})
}

// mapTable returns the table of some rows, with their classes if they have any.
func mapTable(rows []MapMetrics) *table {
	limit := strconv.FormatFloat(rows[0].FPRLimit, 'g', -1, 64)
	image := "the map's maximum"
	if from := rows[0].ScoresFrom; from != "" {
		image = "that of " + EscapeName(from)
	}
	t := &table{
		heading: []string{"normal", "anomalous"},
		notes:   []string{"Metrics are in percent; n/a: undefined without both normal and anomalous maps or pixels. The image score is " + image + ". AUPRO is computed up to a false-positive rate of " + limit + "."},
	}
	if rows[0].Class != "" {
		t.heading, t.names = slices.Insert(t.heading, 0, "class"), 1
	}
	for _, metric := range metrics.Table {
		t.heading = append(t.heading, metric.Title)
	}
	var section [][]string
	for _, m := range rows {
		row := []string{strconv.Itoa(m.Normal), strconv.Itoa(m.Anomalous)}
		if m.Class != "" {
			row = slices.Insert(row, 0, EscapeName(m.Class))
		}
		for _, metric := range metrics.Table {
			row = append(row, percent(m.Metrics.Get(metric.Name)))
		}
		section = append(section, row)
	}
	t.sections = [][][]string{section}
	return t
}
