package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"acdclip/pkg/config/section"
	"acdclip/pkg/metrics"
)

// methodResult returns a method's result on a target with one class.
func methodResult(method, label, target, domain, benchmark string, seed uint64, auroc, ap float64) Result {
	variant := section.Variant{Label: label, Long: label}
	if method == "acdclip" {
		variant = variantOf(3, "conv_lora", "dfg")
	}
	values := Metrics{metrics.ImageAUROC: auroc, metrics.ImageAP: ap}
	return Result{
		Target: target, Domain: domain, Benchmark: benchmark,
		Checkpoint: Checkpoint{
			Source: Source{method + label + target, method + label}, Method: method, Preset: "released", Setup: method + label, Seed: &seed,
			Variant: variant,
		},
		Classes: []Row{{"c", "c", Counts{2, 3, 0}, &F1Thresholds{Image: new(float32(0.5))}, values}},
	}
}

func written(t *testing.T, e *Evaluation, format Format, perClass bool) string {
	t.Helper()
	var out bytes.Buffer
	if err := e.Write(&out, format, perClass); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestComparison: industrial targets come first, the two best are marked, equal ones alike,
// but none with a leak, and a level without numbers has no table.
func TestComparison(t *testing.T) {
	e := &Evaluation{Results: []Result{
		methodResult("winclip", "W", "brain", "medical", "", 0, 0.5, 0.25),
		methodResult("winclip", "W", "mvtec", "industrial", "MVTec", 0, 0.9, 0.8),
		methodResult("clip_ad", "SDP", "mvtec", "industrial", "MVTec", 0, 0.9, 0.7),
		methodResult("acdclip", "N=3", "mvtec", "industrial", "MVTec", 0, 0.8, 0.6),
		methodResult("acdclip", "N=3", "mvtec", "industrial", "MVTec", 1, 0.7, 0.6),
	}}
	e.Results[2].Leak = true
	e.Results[2].ScoreRule = "class_range"
	e.Results[1].Deviations = []string{"only 10 of its 1725 pictures were used"}
	text := written(t, e, FormatTable, false)
	var rows []string
	for line := range strings.Lines(text) {
		rows = append(rows, strings.Join(strings.Fields(line), " "))
	}
	for i, want := range map[int]string{
		0: "Image level: AUROC, AP",
		2: "domain target winclip W clip_ad SDP acdclip N=3",
		4: "industrial mvtec (~) here 90.0*, 80.0* 90.0, 70.0 (!) 75.0±7.1+, 60.0±0.0+",
		5: "paper 89.3, 92.9 89.8, 95.3 90.7, 95.8",
		6: "difference +0.7, -12.9 +0.2, -25.3 -15.7, -35.8",
		8: "medical brain here 50.0, 25.0 - -",
	} {
		if rows[i] != want {
			t.Errorf("line %d is %q, want %q in\n%s", i, rows[i], want, text)
		}
	}
	for _, note := range []string{"(~) is not comparable with the paper:\n  mvtec: only 10 of its 1725 pictures were used (winclip W)\n", "clip_ad SDP: image scores are scaled", "±: the sample standard deviation over seeds.", leakNote} {
		if !strings.Contains(text, note) {
			t.Errorf("the note %q is missing:\n%s", note, text)
		}
	}
	if strings.Contains(text, "Pixel level") {
		t.Errorf("a level without numbers has a table:\n%s", text)
	}
	for i := range e.Results {
		e.Results[i].Classes[0].Metrics = Metrics{}
	}
	if none := written(t, e, FormatTable, false); !strings.Contains(none, "n/a") || strings.Contains(none, "level") {
		t.Errorf("without any number:\n%s", none)
	}
}

// TestComparisonWithClasses: the rows of the classes come first.
func TestComparisonWithClasses(t *testing.T) {
	e := &Evaluation{Results: []Result{
		methodResult("winclip", "W", "parts", "industrial", "", 0, 0.9, 0.8), methodResult("clip_ad", "SDP", "parts", "industrial", "", 0, 0.8, 0.9),
	}}
	text := written(t, e, FormatTable, false)
	if per := written(t, e, FormatTable, true); !strings.HasSuffix(per, text) || !strings.Contains(per, "image F1-max") {
		t.Errorf("the rows of the classes:\n%s", per)
	}
}

// TestComparisonMarkup: the marks become commands, and a wide table is shrunk to the page.
func TestComparisonMarkup(t *testing.T) {
	e := &Evaluation{Results: []Result{
		methodResult("winclip", "W", "parts", "industrial", "", 0, 0.9, 0.8),
		methodResult("clip_ad", "SDP", "parts", "industrial", "", 0, 0.8, 0.9),
		methodResult("clip_ad", "SDP", "parts", "industrial", "", 1, 0.6, 0.9),
	}}
	latex := written(t, e, FormatLaTeX, false)
	for _, want := range []string{
		`parts & here & \textbf{90.0}, \underline{80.0} & \underline{70.0$\pm$14.1}, \textbf{90.0$\pm$0.0} \\`, `max width=\textwidth`, "% It needs the packages booktabs and adjustbox.\n", "bold: highest, underlined: second", `\end{tabular}` + "\n" + `\end{adjustbox}`,
	} {
		if !strings.Contains(latex, want) {
			t.Errorf("%s is missing in\n%s", want, latex)
		}
	}
	if markdown := written(t, e, FormatMarkdown, false); !strings.Contains(markdown, `| here | **90.0**, *80.0* | *70.0±14.1*, **90.0±0.0** |`) || !strings.Contains(markdown, "bold: highest, italic: second") {
		t.Errorf("got\n%s", markdown)
	}
	e.Results[0].Checkpoint.Model, e.Results[1].Checkpoint.Model, e.Results[2].Checkpoint.Model = "mine", "sdp", "sdp"
	for i := range e.Results {
		e.Results[i].Benchmark = "MVTec"
	}
	named := written(t, e, FormatLaTeX, false)
	for _, want := range []string{`domain & target &  & mine & sdp \\`, "mine is winclip W, preset released; sdp is clip_ad SDP, preset released.", `+0.7, $-$12.9`} {
		if !strings.Contains(named, want) {
			t.Errorf("%s is missing in\n%s", want, named)
		}
	}
	var decoded map[string]any
	if err := json.Unmarshal([]byte(written(t, e, FormatJSON, false)), &decoded); err != nil {
		t.Error(err)
	}
	if one := written(t, &Evaluation{Results: e.Results[:1]}, FormatLaTeX, false); strings.Contains(one, "adjustbox") {
		t.Errorf("a table of one method:\n%s", one)
	}
}
