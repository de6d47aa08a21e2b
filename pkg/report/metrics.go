package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"acdclip/pkg/metrics"
)

// Metrics are fractions in [0, 1] by the metric's name in metrics.Table. An undefined
// metric is absent, and null in JSON: the pictures or pixels are all normal or all
// anomalous, or there are no masks.
type Metrics map[string]float64

// Get returns a metric; nil if it is undefined.
func (m Metrics) Get(name string) *float64 {
	value, defined := m[name]
	if !defined {
		return nil
	}
	return &value
}

// F1Thresholds are the thresholds at which F1 is largest on the evaluated pictures.
type F1Thresholds struct {
	Image *float32 `json:"image"` // of image scores; nil where the metric is undefined
	Pixel *float32 `json:"pixel"` // of anomaly maps; nil where the metric is undefined
}

// MetricsOf computes the image metrics from scores and labels, and the pixel metrics from
// pixels. Undefined metrics are left out.
func MetricsOf(scores []float32, anomalous []bool, pixels *metrics.Pixels) (Metrics, *F1Thresholds, error) {
	values, thresholds := Metrics{}, &F1Thresholds{}
	ranking, err := metrics.Rank(scores, anomalous)
	if err != nil && !errors.Is(err, metrics.ErrOneClass) {
		return nil, nil, fmt.Errorf("image metrics: %w", err)
	}
	images := err == nil
	if images {
		thresholds.Image = &ranking.F1Threshold
	}
	summary, err := pixels.Summary()
	if err != nil && !errors.Is(err, metrics.ErrOneClass) {
		return nil, nil, fmt.Errorf("pixel metrics: %w", err)
	}
	if err == nil {
		thresholds.Pixel = &summary.F1Threshold
	}
	for _, metric := range metrics.Table {
		switch {
		case metric.Image != nil && images:
			values[metric.Name] = metric.Image(ranking)
		case metric.Pixel != nil && err == nil:
			values[metric.Name] = metric.Pixel(summary)
		}
	}
	return values, thresholds, nil
}

// meanMetrics returns each metric's mean over the elements that define it.
func meanMetrics(all []Metrics) Metrics {
	mean := Metrics{}
	for _, metric := range metrics.Table {
		var sum float64
		var defined int
		for _, values := range all {
			if value, ok := values[metric.Name]; ok {
				sum += value
				defined++
			}
		}
		if defined > 0 {
			mean[metric.Name] = sum / float64(defined)
		}
	}
	return mean
}

// MarshalJSON writes every metric of metrics.Table, in the table's order.
func (m Metrics) MarshalJSON() ([]byte, error) {
	object := []byte{'{'}
	names := make([]string, 0, len(m))
	for _, metric := range metrics.Table {
		names = append(names, metric.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(m)) { // metrics from a file of another version
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for i, name := range names {
		if i > 0 {
			object = append(object, ',')
		}
		object = append(strconv.AppendQuote(object, name), ':')
		value, defined := m[name]
		switch {
		case !defined:
			object = append(object, "null"...)
		case math.IsNaN(value) || math.IsInf(value, 0):
			return nil, fmt.Errorf("%s is %v: only finite numbers are written", name, value)
		default:
			number, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			object = append(object, number...)
		}
	}
	return append(object, '}'), nil
}

// joined encodes the parts and merges their fields into one JSON object, in order.
func joined(parts ...any) ([]byte, error) {
	object := []byte{'{'}
	for _, part := range parts {
		text, err := json.Marshal(part)
		if err != nil {
			return nil, err
		}
		fields := bytes.TrimSuffix(bytes.TrimPrefix(text, []byte("{")), []byte("}"))
		if len(fields) == 0 {
			continue
		}
		if len(object) > 1 {
			object = append(object, ',')
		}
		object = append(object, fields...)
	}
	return append(object, '}'), nil
}

// others returns the fields of a JSON object except the known ones, in order.
func others(text []byte, known ...string) (names []string, values map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if _, err := decoder.Token(); err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{} // keys may be many
	for _, name := range known {
		seen[name] = true
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, nil, errors.New("not a JSON object")
		}
		var skipped json.RawMessage
		if err := decoder.Decode(&skipped); err != nil {
			return nil, nil, err
		}
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, values, nil
}

// metricsIn decodes the metrics in a JSON object: all fields except the known ones.
func metricsIn(text []byte, known ...string) (Metrics, error) {
	names, values, err := others(text, known...)
	if err != nil {
		return nil, err
	}
	read := Metrics{}
	for _, name := range names {
		var value *float64
		if err := json.Unmarshal(values[name], &value); err != nil {
			return nil, fmt.Errorf("metric %s: %w", name, err)
		}
		if value != nil {
			read[name] = *value
		}
	}
	return read, nil
}
