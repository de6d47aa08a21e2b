package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"acdclip/pkg/config/section"
	"acdclip/pkg/metrics"
)

// example has a class without defects, names that need escaping, and a picture that could not be scored.
func example() *Evaluation {
	return &Evaluation{
		Provenance: Provenance{
			Version: "v0", Libtorch: "2.11.0", Device: "cpu", Precision: "fp32", Threads: 2,
			CLIP:      Source{"clip.pt", "sha256:00"},
			ImageSize: 336, Config: json.RawMessage(`{"preset": "paper"}`),
		},
		Results: []Result{
			{
				Target: "bolts", ListHash: "sha256:11",
				Checkpoint: Checkpoint{
					Source: Source{"runs/a.safetensors", "sha256:22"}, Method: "acdclip", Preset: "paper",
					Auxiliary: "visa", Variant: variantOf(3, "conv_lora", "dfg"), Seed: new(uint64(0)), Setup: "sha256:33",
				},
				Classes: []Row{
					{"hex_bolt", "hex bolt", Counts{10, 20, 1}, nil, metricsOf(0.75, 0.875, 0.9, 0.5, 0.0625, 0.125, 0.375)},
					{"wood|pine", "wood", Counts{5, 0, 0}, nil, Metrics{}},
					{"螺丝", "screw", Counts{4, 4, 0}, nil, metricsOf(0.25, 0.5, 0.8)},
				},
			},
			{
				Target:     "tiles",
				Checkpoint: Checkpoint{Source: Source{Path: "adapter_4.pth"}, Method: "acdclip", Preset: "released", Auxiliary: "unknown", Variant: variantOf(4, "conv_lora", "dfg")},
				Classes:    []Row{{"tile & grout", "tile", Counts{1, 1, 0}, nil, metricsOf(1, 1, 1, 0.99999, 0, 0.25, 0.625)}},
			},
		},
	}
}

func variantOf(groups int, adapter, fusion string) section.Variant {
	label := fmt.Sprintf("N=%d", groups)
	return section.Variant{
		Label: label, Long: label + " " + adapter + "+" + fusion,
		Fields: []section.Field{{Name: "groups", Value: groups}, {Name: "adapter", Value: adapter}, {Name: "fusion", Value: fusion}},
	}
}

// metricsOf returns values for the first metrics of the table.
func metricsOf(values ...float64) Metrics {
	m := Metrics{}
	for i, value := range values {
		m[metrics.Table[i].Name] = value
	}
	return m
}

func TestTables(t *testing.T) {
	cases := map[Format]string{
		FormatTable: `
target  auxiliary  class         normal  anomalous  image AUROC  image AP  image F1-max  pixel AUROC  pixel AP  pixel F1-max  pixel AUPRO
------  ---------  ------------  ------  ---------  -----------  --------  ------------  -----------  --------  ------------  -----------
bolts   visa       hex_bolt          10         20        75.00     87.50         90.00        50.00      6.25         12.50        37.50
bolts   visa       wood|pine          5          0          n/a       n/a           n/a          n/a       n/a           n/a          n/a
bolts   visa       螺丝               4          4        25.00     50.00         80.00          n/a       n/a           n/a          n/a
bolts   visa       mean              19         24        50.00     68.75         85.00        50.00      6.25         12.50        37.50
------  ---------  ------------  ------  ---------  -----------  --------  ------------  -----------  --------  ------------  -----------
tiles   unknown    tile & grout       1          1       100.00    100.00        100.00       100.00      0.00         25.00        62.50
tiles   unknown    mean               1          1       100.00    100.00        100.00       100.00      0.00         25.00        62.50

Metrics are in percent; n/a: undefined, left out of means.
Pictures that could not be read and are not counted: 1.
`,
		FormatMarkdown: `
| target | auxiliary | class | normal | anomalous | image AUROC | image AP | image F1-max | pixel AUROC | pixel AP | pixel F1-max | pixel AUPRO |
| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| bolts | visa | hex\_bolt | 10 | 20 | 75.00 | 87.50 | 90.00 | 50.00 | 6.25 | 12.50 | 37.50 |
| bolts | visa | wood\|pine | 5 | 0 | n/a | n/a | n/a | n/a | n/a | n/a | n/a |
| bolts | visa | 螺丝 | 4 | 4 | 25.00 | 50.00 | 80.00 | n/a | n/a | n/a | n/a |
| **bolts** | **visa** | **mean** | **19** | **24** | **50.00** | **68.75** | **85.00** | **50.00** | **6.25** | **12.50** | **37.50** |
| tiles | unknown | tile &amp; grout | 1 | 1 | 100.00 | 100.00 | 100.00 | 100.00 | 0.00 | 25.00 | 62.50 |
| **tiles** | **unknown** | **mean** | **1** | **1** | **100.00** | **100.00** | **100.00** | **100.00** | **0.00** | **25.00** | **62.50** |

Metrics are in percent; n/a: undefined, left out of means.

Pictures that could not be read and are not counted: 1.
`,
		FormatLaTeX: `
% Metrics are in percent; n/a: undefined, left out of means.
% Pictures that could not be read and are not counted: 1.
\begin{tabular}{lllrrrrrrrrr}
\toprule
target & auxiliary & class & normal & anomalous & image AUROC & image AP & image F1-max & pixel AUROC & pixel AP & pixel F1-max & pixel AUPRO \\
\midrule
bolts & visa & hex\_bolt & 10 & 20 & 75.00 & 87.50 & 90.00 & 50.00 & 6.25 & 12.50 & 37.50 \\
bolts & visa & wood\textbar{}pine & 5 & 0 & n/a & n/a & n/a & n/a & n/a & n/a & n/a \\
bolts & visa & 螺丝 & 4 & 4 & 25.00 & 50.00 & 80.00 & n/a & n/a & n/a & n/a \\
\textbf{bolts} & \textbf{visa} & \textbf{mean} & \textbf{19} & \textbf{24} & \textbf{50.00} & \textbf{68.75} & \textbf{85.00} & \textbf{50.00} & \textbf{6.25} & \textbf{12.50} & \textbf{37.50} \\
\midrule
tiles & unknown & tile \& grout & 1 & 1 & 100.00 & 100.00 & 100.00 & 100.00 & 0.00 & 25.00 & 62.50 \\
\textbf{tiles} & \textbf{unknown} & \textbf{mean} & \textbf{1} & \textbf{1} & \textbf{100.00} & \textbf{100.00} & \textbf{100.00} & \textbf{100.00} & \textbf{0.00} & \textbf{25.00} & \textbf{62.50} \\
\bottomrule
\end{tabular}
`,
	}
	for format, want := range cases {
		t.Run(string(format), func(t *testing.T) {
			if got := write(t, example(), format); got != want[1:] {
				t.Errorf("got\n%s\nwant\n%s", got, want[1:])
			}
		})
	}
}

// TestSeveralCheckpoints checks that the table distinguishes the rows of a target that was scored twice.
func TestSeveralCheckpoints(t *testing.T) {
	evaluation := example()
	evaluation.Results[1].Target = "bolts"
	text := write(t, evaluation, FormatTable)
	for _, want := range []string{"model", "N=3", "N=4"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestLeak checks the mark of a target that its checkpoint was trained on.
func TestLeak(t *testing.T) {
	evaluation := example()
	if text := write(t, evaluation, FormatTable); strings.Contains(text, "(!)") || strings.Contains(write(t, evaluation, FormatJSON), "leak") {
		t.Errorf("a leak is marked where there is none:\n%s", text)
	}
	evaluation.Results[0].Leak = true
	text := write(t, evaluation, FormatTable)
	if !strings.Contains(text, "visa (!)") || strings.Contains(text, "unknown (!)") || !strings.Contains(text, "not zero-shot") {
		t.Errorf("a leak is not marked:\n%s", text)
	}
	if !strings.Contains(write(t, evaluation, FormatJSON), `"leak": true`) {
		t.Error("a leak is not in the JSON")
	}
}

func TestTableIsSafe(t *testing.T) {
	evaluation := example()
	evaluation.Results[0].Classes[0].Class = "a\n\x1b[31mb\xff"
	if text := write(t, evaluation, FormatTable); strings.Contains(text, "\x1b") || !utf8.ValidString(text) || !strings.Contains(text, "a\uFFFD\uFFFD[31mb\uFFFD") {
		t.Errorf("a name steers the terminal:\n%q", text)
	}
}

func TestResultsJSON(t *testing.T) {
	var got struct {
		Provenance struct {
			ImageSize int `json:"image_size"`
			CLIP      struct{ Fingerprint string }
			Config    struct{ Preset string }
		}
		Results []struct {
			Target     string
			ListHash   string `json:"list_hash"`
			Checkpoint struct {
				Path, Auxiliary string
				Seed            *uint64
			}
			Classes []map[string]any
			Mean    map[string]any
		}
	}
	text := write(t, example(), FormatJSON)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Provenance.ImageSize != 336 || got.Provenance.CLIP.Fingerprint != "sha256:00" || got.Provenance.Config.Preset != "paper" {
		t.Errorf("provenance %+v", got.Provenance)
	}
	if len(got.Results) != 2 || got.Results[0].ListHash != "sha256:11" || got.Results[1].Checkpoint.Auxiliary != "unknown" {
		t.Fatalf("results %+v", got.Results)
	}
	if seed := got.Results[0].Checkpoint.Seed; seed == nil || *seed != 0 || got.Results[1].Checkpoint.Seed != nil {
		t.Error("the seeds are not 0 and null")
	}
	bolts := got.Results[0]
	if class := bolts.Classes[0]; class["class"] != "hex_bolt" || class["prompt"] != "hex bolt" || class["normal"] != 10. ||
		class["failed"] != 1. || class["image_auroc"] != 0.75 || class["pixel_ap"] != 0.0625 {
		t.Errorf("first class %v", class)
	}
	for _, metric := range metrics.Table {
		value, written := bolts.Classes[1][metric.Name]
		if !written || value != nil {
			t.Errorf("%s of a set of one class is %v, want null", metric.Name, value)
		}
	}
	if bolts.Mean["image_auroc"] != 0.5 || bolts.Mean["pixel_auroc"] != 0.5 || bolts.Mean["anomalous"] != 24. {
		t.Errorf("mean %v", bolts.Mean)
	}
}

func TestResultsCSV(t *testing.T) {
	var out bytes.Buffer
	if err := example().WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	want := `target,auxiliary,checkpoint,groups,adapter,fusion,seed,row,class,prompt,normal,anomalous,failed,image_auroc,image_ap,image_f1max,pixel_auroc,pixel_ap,pixel_f1max,pixel_aupro
bolts,visa,runs/a.safetensors,3,conv_lora,dfg,0,class,hex_bolt,hex bolt,10,20,1,0.75,0.875,0.9,0.5,0.0625,0.125,0.375
bolts,visa,runs/a.safetensors,3,conv_lora,dfg,0,class,wood|pine,wood,5,0,0,,,,,,,
bolts,visa,runs/a.safetensors,3,conv_lora,dfg,0,class,螺丝,screw,4,4,0,0.25,0.5,0.8,,,,
bolts,visa,runs/a.safetensors,3,conv_lora,dfg,0,mean,,,19,24,1,0.5,0.6875,0.8500000000000001,0.5,0.0625,0.125,0.375
tiles,unknown,adapter_4.pth,4,conv_lora,dfg,,class,tile & grout,tile,1,1,0,1,1,1,0.99999,0,0.25,0.625
tiles,unknown,adapter_4.pth,4,conv_lora,dfg,,mean,,,1,1,0,1,1,1,0.99999,0,0.25,0.625
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestScoresCSV(t *testing.T) {
	scores := []Score{
		{Target: "bolts", Class: "hex_bolt", Checkpoint: "a.pth", Path: "x,y.png", Anomalous: true, Score: 0.1, ClassProbability: new(float32(0.3)), MapMax: 1},
		{Target: "bolts", Class: "hex_bolt", Checkpoint: "a.pth", Path: "z.png", Score: 0.7, Error: "cut off"},
	}
	var out bytes.Buffer
	if err := WriteScoresCSV(&out, scores, false); err != nil {
		t.Fatal(err)
	}
	want := `target,checkpoint,class,path,label,score,class_probability,map_max,error
bolts,a.pth,hex_bolt,"x,y.png",1,0.1,0.3,1,
bolts,a.pth,hex_bolt,z.png,0,,,,cut off
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if _, err := csv.NewReader(&out).ReadAll(); err != nil {
		t.Error(err)
	}
	out.Reset()
	scores[0].RawScore = new(float32(1.5))
	if err := WriteScoresCSV(&out, scores, true); err != nil || !strings.Contains(out.String(), "map_max,error,score_raw,map_max_raw\n") || !strings.Contains(out.String(), "0.3,1,,1.5,1\n") || !strings.HasSuffix(out.String(), "cut off,,\n") {
		t.Errorf("%v\n%s", err, out.String())
	}
	scores[0].Score = float32(math.NaN())
	if err := WriteScoresCSV(&out, scores, false); err == nil || !strings.Contains(err.Error(), "x,y.png: score is NaN") {
		t.Errorf("NaN: %v", err)
	}
}

func TestMeanOfNothing(t *testing.T) {
	result := Result{}
	if mean := result.Mean(); !reflect.DeepEqual(mean, Mean{Metrics: Metrics{}}) {
		t.Errorf("%+v", mean)
	}
}

func TestEvaluationErrors(t *testing.T) {
	evaluation := example()
	if err := evaluation.Write(&bytes.Buffer{}, "html", false); err == nil || !strings.Contains(err.Error(), "html") {
		t.Errorf("an unknown format: %v", err)
	}
	for _, format := range Formats() {
		if err := evaluation.Write(full{}, format, false); !errors.Is(err, errFull) {
			t.Errorf("%s on a full disk: %v", format, err)
		}
	}
	if err := evaluation.WriteCSV(full{}); !errors.Is(err, errFull) {
		t.Errorf("CSV on a full disk: %v", err)
	}
	evaluation.Results[0].Classes[0].Metrics["image_ap"] = math.NaN()
	if err := evaluation.WriteJSON(&bytes.Buffer{}); err == nil {
		t.Error("NaN was written as JSON")
	}
}

func write(t *testing.T, evaluation *Evaluation, format Format) string {
	t.Helper()
	var out bytes.Buffer
	if err := evaluation.Write(&out, format, false); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
