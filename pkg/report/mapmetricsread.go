package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"acdclip/pkg/digest"
	"acdclip/pkg/metrics"
	"acdclip/pkg/regularfile"
)

// ErrNotMapMetrics reports a file that is not what MapMetrics.Write or MapClasses.Write
// write as JSON.
var ErrNotMapMetrics = errors.New("not a result of `acdclip metrics --format json`")

// ReadMapMetrics reads the metrics of anomaly maps from a file that MapMetrics.Write or
// MapClasses.Write wrote as JSON. Maps that are not divided into classes are one element
// without a name. Metrics may be missing; numbers outside of their range are an error. Errors
// name the path, and wrap ErrNotMapMetrics or the file system's error.
func ReadMapMetrics(path string) (MapClasses, Source, error) {
	const largest = 16 << 20 // bytes
	text, err := regularfile.Head(path, largest+1)
	if err != nil {
		return nil, Source{}, err
	}
	if len(text) > largest {
		return nil, Source{}, fmt.Errorf("%s: %w: it is larger than %d bytes", path, ErrNotMapMetrics, largest)
	}
	classes, err := parseMapMetrics(text)
	if err != nil {
		return nil, Source{}, fmt.Errorf("%s: %w: %w", path, ErrNotMapMetrics, err)
	}
	sum := sha256.Sum256(text)
	return classes, Source{Path: EscapeName(path), Fingerprint: digest.SHA256(sum[:])}, nil
}

// parseMapMetrics parses the content of a file. The mean of classes is not taken from it.
func parseMapMetrics(text []byte) (MapClasses, error) {
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, explainNumbers(text, err)
	}
	if _, divided := keys["classes"]; !divided {
		var one MapMetrics
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, err
		}
		return MapClasses{one}, nil
	}
	var divided struct {
		Classes MapClasses      `json:"classes"`
		Mean    json.RawMessage `json:"mean"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&divided); err != nil {
		return nil, err
	}
	if len(divided.Classes) == 0 {
		return nil, errors.New("it has no classes")
	}
	named := map[string]bool{}
	for _, class := range divided.Classes {
		if class.Class == "" || named[class.Class] {
			return nil, fmt.Errorf("the class %q is named twice, or has no name", EscapeName(class.Class))
		}
		named[class.Class] = true
	}
	return divided.Classes, nil
}

// explainNumbers says what a syntax error means where a number is NaN or Infinity, which other
// programs write.
func explainNumbers(text []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && syntax.Offset > 0 && syntax.Offset <= int64(len(text)) {
		if at := text[syntax.Offset-1:]; bytes.HasPrefix(at, []byte("NaN")) || bytes.HasPrefix(at, []byte("Inf")) {
			return errors.New("a number is NaN or infinite; an undefined metric must be null")
		}
	}
	return err
}

// UnmarshalJSON decodes the output of MarshalJSON. Metrics may be missing, and those of
// another version, which nothing shows, are left out. An invalid number is an error.
func (m *MapMetrics) UnmarshalJSON(text []byte) error {
	var head struct {
		Class      string   `json:"class"`
		Maps       *int     `json:"maps"`
		Normal     *int     `json:"normal"`
		Anomalous  *int     `json:"anomalous"`
		FPRLimit   *float64 `json:"fpr_limit"`
		ScoresFrom string   `json:"scores_from"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	if head.Maps == nil || head.Normal == nil || head.Anomalous == nil || head.FPRLimit == nil {
		return errors.New("one of maps, normal, anomalous and fpr_limit is missing")
	}
	values, err := metricsIn(text, "class", "maps", "normal", "anomalous", "fpr_limit", "scores_from")
	if err != nil {
		return err
	}
	maps.DeleteFunc(values, func(name string, _ float64) bool {
		return !slices.ContainsFunc(metrics.Table, func(metric metrics.Metric) bool { return metric.Name == name })
	})
	*m = MapMetrics{
		Class: UnescapeName(head.Class), Maps: *head.Maps, Normal: *head.Normal, Anomalous: *head.Anomalous, Metrics: values,
		ScoresFrom: UnescapeName(head.ScoresFrom), FPRLimit: *head.FPRLimit,
	}
	return m.check()
}

// check returns an error if a number is invalid.
func (m *MapMetrics) check() error {
	name := "the maps"
	if m.Class != "" {
		name = "class " + EscapeName(m.Class)
	}
	switch {
	case m.Normal < 0 || m.Anomalous < 0 || m.Normal > m.Maps || m.Maps-m.Normal != m.Anomalous:
		return fmt.Errorf("%s: %d normal and %d anomalous maps cannot be %d maps", name, m.Normal, m.Anomalous, m.Maps)
	case !(m.FPRLimit > 0 && m.FPRLimit <= 1):
		return fmt.Errorf("%s: fpr_limit is %v, which is not above 0 and at most 1", name, m.FPRLimit)
	}
	for metric, value := range m.Metrics {
		if !isFraction(value) {
			return fmt.Errorf("%s: %s is %v, which is not in [0, 1]", name, metric, value)
		}
	}
	return nil
}
