package report

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"acdclip/pkg/metrics"
)

// exampleMaps are metrics of maps with a name that must be escaped, and some undefined.
func exampleMaps() MapClasses {
	return MapClasses{
		{Class: "cable", Maps: 5, Normal: 2, Anomalous: 3, Metrics: metricsOf(0.75, 0.5, 0.625, 0.9, 0.25, 0.125, 0.375), ScoresFrom: "a\n.csv", FPRLimit: 0.3},
		{Class: "zip\n\\x41", Maps: 1, Normal: 1, Metrics: Metrics{}, ScoresFrom: "a\n.csv", FPRLimit: 0.3},
	}
}

// TestReadMapMetrics: what is written is read again, with and without classes.
func TestReadMapMetrics(t *testing.T) {
	var divided, one bytes.Buffer
	unnamed := exampleMaps()[0]
	unnamed.Class = ""
	if err := errors.Join(exampleMaps().Write(&divided, FormatJSON), unnamed.Write(&one, FormatJSON)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want MapClasses
	}{{divided.String(), exampleMaps()}, {byteOrderMark + one.String(), MapClasses{unnamed}}} {
		path := filepath.Join(t.TempDir(), "maps.json")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, source, err := ReadMapMetrics(path)
		if err != nil || !reflect.DeepEqual(got, c.want) || source.Path != path || source.Fingerprint == "" {
			t.Errorf("%s\ngives %+v, %+v, %v", c.text, got, source, err)
		}
	}
	if newer, err := parseMapMetrics([]byte(`{"maps":1,"normal":1,"anomalous":0,"image_gini":-3,"fpr_limit":0.3}`)); err != nil || len(newer[0].Metrics) != 0 {
		t.Errorf("a metric of another version: %+v, %v", newer, err)
	}
	if _, _, err := ReadMapMetrics(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestReadMapMetricsRefuses(t *testing.T) {
	const row = `{"class":"a","maps":3,"normal":1,"anomalous":2,"image_auroc":0.5,"fpr_limit":0.3}`
	for name, c := range map[string]struct{ text, says string }{
		"no JSON":           {"class,auroc\n", "invalid character"},
		"a list":            {"[1]", "cannot unmarshal array"},
		"another object":    {`{"provenance":{},"results":[]}`, "one of maps, normal, anomalous and fpr_limit is missing"},
		"no classes":        {`{"classes":[],"mean":null}`, "it has no classes"},
		"other keys":        {`{"classes":[` + row + `],"results":[]}`, `unknown field "results"`},
		"a class twice":     {`{"classes":[` + row + "," + row + `]}`, `the class "a" is named twice`},
		"a class unnamed":   {`{"classes":[` + strings.Replace(row, `"a"`, `""`, 1) + `]}`, "has no name"},
		"wrong sums":        {strings.Replace(row, "3", "4", 1), "class a: 1 normal and 2 anomalous maps cannot be 4 maps"},
		"negative":          {strings.NewReplacer(":1,", ":-1,", ":2,", ":4,").Replace(row), "-1 normal"},
		"an overflow":       {strings.NewReplacer(":3,", ":-9223372036854775808,", ":1,", ":9223372036854775807,", ":2,", ":1,").Replace(row), "cannot be"},
		"NaN":               {strings.Replace(row, "0.5", "NaN", 1), "a number is NaN or infinite; an undefined metric must be null"},
		"-Infinity":         {strings.Replace(row, "0.5", "-Infinity", 1), "a number is NaN or infinite"},
		"in percent":        {strings.Replace(row, "0.5", "50", 1), "class a: image_auroc is 50, which is not in [0, 1]"},
		"a metric of words": {strings.Replace(row, "0.5", `"high"`, 1), "metric image_auroc"},
		"no limit":          {strings.Replace(row, ",\"fpr_limit\":0.3", "", 1), "fpr_limit is missing"},
		"a wrong limit":     {strings.Replace(row, "0.3", "3", 1), "fpr_limit is 3"},
		"cut off":           {row[:20], "unexpected end"},
		"more than one":     {row + row, "after top-level value"},
	} {
		path := filepath.Join(t.TempDir(), "maps.json")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ReadMapMetrics(path); !errors.Is(err, ErrNotMapMetrics) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// FuzzParseMapMetrics: what is accepted has valid numbers, and is the same when it is written
// and read again.
func FuzzParseMapMetrics(f *testing.F) {
	var b bytes.Buffer
	if err := exampleMaps().Write(&b, FormatJSON); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	for _, text := range []string{`{"maps":3,"normal":1,"anomalous":2,"image_auroc":null,"fpr_limit":0.3}`, `{"maps":0,"normal":0,"anomalous":0,"x":1e-400,"fpr_limit":1,"scores_from":"\\x41\u0000"}`, `{"classes":[null]}`, "NaN"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		classes, err := parseMapMetrics(text)
		if err != nil {
			return
		}
		for _, class := range classes {
			if err := class.check(); err != nil {
				t.Fatal(err)
			}
		}
		var again bytes.Buffer
		if classes[0].Class == "" {
			err = classes[0].Write(&again, FormatJSON)
		} else {
			err = classes.Write(&again, FormatJSON)
		}
		if err != nil {
			t.Fatal(err)
		}
		read, err := parseMapMetrics(again.Bytes())
		if err != nil || len(read) != len(classes) {
			t.Fatalf("%q becomes %q, and %v", text, again.Bytes(), err)
		}
		for i, class := range classes {
			for _, metric := range metrics.Table {
				if a, b := class.Metrics.Get(metric.Name), read[i].Metrics.Get(metric.Name); (a == nil) != (b == nil) || a != nil && *a != *b {
					t.Fatalf("%q: %s changes", text, metric.Name)
				}
			}
			class.Metrics, read[i].Metrics = nil, nil
			if !reflect.DeepEqual(class, read[i]) {
				t.Fatalf("%+v becomes %+v", class, read[i])
			}
		}
	})
}
