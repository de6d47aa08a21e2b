package report

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"acdclip/pkg/metrics"
)

// other is a method's result on a target with one class.
func other(target, name string, auroc, ap float64) OtherMethod {
	return OtherMethod{target, name, Source{name + ".json", "sha256:00"}, MapClasses{
		{Class: "c", Maps: 5, Normal: 2, Anomalous: 3, Metrics: Metrics{metrics.ImageAUROC: auroc, metrics.ImageAP: ap}, FPRLimit: 0.3},
	}}
}

// lines are the lines of a text with single spaces.
func lines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		list = append(list, strings.Join(strings.Fields(line), " "))
	}
	return list
}

// TestBesideOneMethod: another method has rows after those of its target, a column beside the
// paper's, and a note; what it lacks is n/a.
func TestBesideOneMethod(t *testing.T) {
	e := &Evaluation{Results: []Result{
		methodResult("acdclip", "N=3", "mvtec", "industrial", "MVTec", 0, 0.8, 0.6),
		methodResult("acdclip", "N=3", "parts", "industrial", "", 0, 0.7, 0.5),
	}}
	e.Beside = []OtherMethod{other("mvtec", "N=3", 0.75, 0.875), other("mvtec", "PatchCore", 0.5, 0.25)}
	e.Beside[1].Classes[0].ScoresFrom = "scores.csv"
	text := written(t, e, FormatTable, false)
	rows := lines(text)
	for _, want := range []string{
		"target auxiliary model class normal anomalous image AUROC image AP image F1-max pixel AUROC pixel AP pixel F1-max pixel AUPRO",
		"mvtec - N=3 of N=3.json c 2 3 75.00 87.50 n/a n/a n/a n/a n/a",
		"mvtec - PatchCore mean 2 3 50.00 25.00 n/a n/a n/a n/a n/a",
		"target metric WinCLIP CLIP-AD AnomalyCLIP AdaCLIP ACD-CLIP N=2 ACD-CLIP N=3 ACD-CLIP N=4 ACD-CLIP N=6 N=3 here difference N=3 of N=3.json PatchCore",
		"mvtec image AP 92.9 95.3 95.1 95.2 95.7 95.8 96.8 95.7 60.00 -35.80 87.50 25.00",
		"PatchCore is another method, with the metrics in PatchCore.json: those of pixels are at the size of its maps, and its image scores are those of scores.csv.",
	} {
		found := false
		for _, row := range rows {
			found = found || row == want
		}
		if !found {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Index(text, "PatchCore") > strings.Index(text, "\nparts") {
		t.Errorf("the rows do not stand beside those of their target:\n%s", text)
	}
}

// TestBesideSeveralMethods: in the form of Table 1 another method is a column, which may have
// the highest value and has no figure of the paper.
func TestBesideSeveralMethods(t *testing.T) {
	e := &Evaluation{Results: []Result{
		methodResult("winclip", "W", "mvtec", "industrial", "MVTec", 0, 0.9, 0.8),
		methodResult("clip_ad", "SDP", "mvtec", "industrial", "MVTec", 0, 0.8, 0.7),
		methodResult("winclip", "W", "brain", "medical", "", 0, 0.5, 0.25),
	}}
	e.Results[0].Deviations = []string{"only 10 pictures"}
	e.Results[1].Deviations = []string{"only 10 pictures"}
	e.Beside = []OtherMethod{other("mvtec", "PatchCore", 0.95, 0.75)}
	text := written(t, e, FormatTable, false)
	for i, want := range map[int]string{
		2: "domain target winclip W clip_ad SDP PatchCore",
		4: "industrial mvtec (~) here 90.0+, 80.0* 80.0, 70.0 95.0*, 75.0+",
		5: "paper 89.3, 92.9 89.8, 95.3 -",
		6: "difference +0.7, -12.9 -9.8, -25.3 -",
		8: "medical brain here 50.0, 25.0 - -",
	} {
		if got := lines(text)[i]; got != want {
			t.Errorf("line %d is %q, want %q in\n%s", i, got, want, text)
		}
	}
	for _, note := range []string{"  mvtec: only 10 pictures\n", "PatchCore is another method, with the metrics in PatchCore.json"} {
		if strings.Count(text, note) != 1 {
			t.Errorf("the note %q in\n%s", note, text)
		}
	}
	if per := written(t, e, FormatTable, true); !strings.Contains(per, "PatchCore    mean ") {
		t.Errorf("the rows of the classes:\n%s", per)
	}
}

// TestBesideInFile: other methods stand in results.json, and are read again.
func TestBesideInFile(t *testing.T) {
	e := example()
	e.Beside = []OtherMethod{other("bolts", "PatchCore", 0.75, 0.875)}
	var first, second bytes.Buffer
	if err := e.WriteJSON(&first); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "results.json")
	if err := os.WriteFile(path, first.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := ReadEvaluation(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read.Beside, e.Beside) {
		t.Errorf("%+v is read as %+v", e.Beside, read.Beside)
	}
	if err := read.WriteJSON(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("%v\n%s\nbecomes\n%s", err, first.String(), second.String())
	}
	e.Beside[0].Classes = nil // whatever a file says, it is shown
	written(t, e, FormatTable, false)
}
