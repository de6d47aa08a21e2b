package evaluation

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"acdclip/internal/drawn"
	"acdclip/internal/golden"
	"acdclip/pkg/data"
	"acdclip/pkg/data/synth"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
	"acdclip/pkg/scoring"
)

// files returns results.json, results.csv, scores.csv and gates.csv as the program writes them.
func files(t *testing.T, result *report.Evaluation, scores []report.Score) string {
	t.Helper()
	var out bytes.Buffer
	err := errors.Join(result.WriteJSON(&out), result.WriteCSV(&out), report.WriteScoresCSV(&out, scores, false), report.WriteGatesCSV(&out, result.GateMeans(scores)))
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// handed holds the arguments of Map for a picture.
type handed struct {
	scores []float32
	mask   []uint8
}

// TestEvaluate recomputes the metrics of each class from the scores of its pictures.
func TestEvaluate(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	o := evaluating(t, set)
	of := map[string]handed{}
	o.Files = func(_ Job, scored scoring.Scored) error {
		item, m, mask := scored.Picture.Item, cmp.Or(scored.RawMap, scored.Map), scored.Picture.Mask
		of[item.Path] = handed{m.Scores, mask}
		return nil
	}
	all, scores := evaluate(t, o, "")
	result := all.Results[0]
	if len(scores) != len(set.Items) || len(result.Classes) != 2 || all.Provenance.ImageSize != 28 || all.Provenance.CLIP.Fingerprint != "sha256v2:c" {
		t.Fatalf("%d scores, %d rows, of %+v", len(scores), len(result.Classes), all.Provenance)
	}
	for i, score := range scores {
		item := set.Items[i]
		if score.Path != item.Path || score.Class != item.Class || score.Place != i || score.Anomalous != item.Anomalous || score.Target != set.Name || score.Checkpoint != "a.safetensors" || score.Error != "" {
			t.Errorf("score %d is %+v, of %+v", i, score, item)
		}
		if got := slices.Max(of[item.Path].scores); got != score.MapMax {
			t.Errorf("%s: the map's maximum is %v, and %v was handed out", item.Path, score.MapMax, got)
		}
	}
	for i, row := range result.Classes {
		if row.Class != set.Classes[i].Name || row.Prompt != set.Classes[i].Prompt || row.Counts != (report.Counts{Normal: 2, Anomalous: 3}) {
			t.Errorf("row %+v of class %+v", row, set.Classes[i])
		}
		want := metricsOf(t, scores, row.Class, of)
		if len(row.Metrics) != len(metrics.Table) || !maps.Equal(row.Metrics, want) {
			t.Errorf("class %s: %v, want %v", row.Class, row.Metrics, want)
		}
	}
	if maps.Equal(result.Classes[0].Metrics, result.Classes[1].Metrics) {
		t.Error("both classes have the same metrics: the test shows nothing")
	}
}

// metricsOf computes a class's metrics from all its scores and pixels at once, and AUPRO
// picture by picture.
func metricsOf(t *testing.T, scores []report.Score, class string, of map[string]handed) report.Metrics {
	t.Helper()
	var images, all []float32
	var labels, marked []bool
	collected, err := metrics.NewPixels(metrics.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer collected.Close()
	for _, score := range scores {
		if score.Class != class || score.Error != "" {
			continue
		}
		images, labels = append(images, score.Score), append(labels, score.Anomalous)
		this := of[score.Path]
		if this.mask == nil {
			continue
		}
		all = append(all, this.scores...)
		for _, v := range this.mask {
			marked = append(marked, v != 0)
		}
		side := int(math.Sqrt(float64(len(this.mask))))
		if err := collected.Add(this.scores, this.mask, side, side); err != nil {
			t.Fatal(err)
		}
	}
	want := report.Metrics{}
	if image, err := metrics.Rank(images, labels); err == nil {
		want[metrics.ImageAUROC], want[metrics.ImageAP], want["image_f1max"] = image.AUROC, image.AP, image.F1Max
	}
	if pixel, err := metrics.Rank(all, marked); err == nil {
		summary, err := collected.Summary()
		if err != nil {
			t.Fatal(err)
		}
		want[metrics.PixelAUROC], want[metrics.PixelAP], want["pixel_f1max"], want["pixel_aupro"] = pixel.AUROC, pixel.AP, pixel.F1Max, summary.AUPRO
	}
	return want
}

// TestScoresDependOnPictureAlone checks that scores do not depend on the batch, the readers or other pictures.
func TestScoresDependOnPictureAlone(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	o := evaluating(t, set)
	_, want := evaluate(t, o, "")
	for _, batch := range []int{1, 3, 100} {
		for _, workers := range []int{1, 5} {
			o.Batch, o.Load.Workers, o.Pixels.Memory = batch, workers, int64(batch)
			fresh := &fakes{machine: machine()}
			o.Detectors = fresh
			result, got := evaluate(t, o, "")
			golden.SameText(t, fmt.Sprintf("batches of %d, %d readers", batch, workers), scoresCSV(t, got), scoresCSV(t, want))
			if row := result.Results[0].Classes[0]; row.Metrics[metrics.PixelAUROC] == 0 {
				t.Errorf("row %+v", row)
			}
			for _, places := range fresh.batches {
				for _, place := range places {
					if len(places) > batch || set.Items[place].Class != set.Items[places[0]].Class {
						t.Errorf("%v were scored at once, with batches of %d", places, batch)
					}
				}
			}
		}
	}
}

func scoresCSV(t *testing.T, scores []report.Score) string {
	t.Helper()
	var out bytes.Buffer
	if err := report.WriteScoresCSV(&out, scores, false); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestPromptAndDomainReachTheScorer checks that each picture is scored with its class's prompt and its domain.
func TestPromptAndDomainReachTheScorer(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	set.Classes[0].Prompt, set.Classes[1].Prompt = "left thing", "right thing"
	o := evaluating(t, set)
	_, first := evaluate(t, o, "")
	var want []string
	for _, item := range set.Items {
		want = append(want, map[bool]string{true: "left thing", false: "right thing"}[item.Class == set.Classes[0].Name])
	}
	if got := o.Detectors.(*fakes).prompts; !slices.Equal(got, want) {
		t.Errorf("scored with prompts %q, want %q", got, want)
	}
	set.Domain = domain.Medical
	if _, other := evaluate(t, o, ""); scoresCSV(t, other) == scoresCSV(t, first) {
		t.Error("the domain changes nothing")
	}
	set.Domain, set.Classes[1].Prompt = domain.Industrial, "left thing" // two classes of one prompt
	_, shared := evaluate(t, o, "")
	for i, item := range set.Items {
		if (shared[i].Score == first[i].Score) != (item.Class == set.Classes[0].Name) {
			t.Errorf("%s: %v with its prompt, %v with the other's", item.Path, first[i].Score, shared[i].Score)
		}
	}
}

// TestEvaluateGoesOnPastBrokenPictures checks that unreadable pictures are counted, reported and left out of the metrics.
func TestEvaluateGoesOnPastBrokenPictures(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	o := evaluating(t, set)
	o.Batch = 2 // one of the batches has nothing that can be read
	of := map[string]handed{}
	o.Files = func(_ Job, scored scoring.Scored) error {
		item, m, mask := scored.Picture.Item, cmp.Or(scored.RawMap, scored.Map), scored.Picture.Mask
		of[item.Path] = handed{m.Scores, mask}
		return nil
	}
	// Both normal pictures of the first class and one anomalous picture of the second.
	var broken []string
	for i, item := range set.Items {
		first := item.Class == set.Classes[0].Name
		if first && !item.Anomalous || i == len(set.Items)-1 {
			if err := os.WriteFile(item.Path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
			broken = append(broken, item.Path)
		}
	}
	var seen eventList
	o.Emit = seen.emit
	all, scores := evaluate(t, o, "")
	rows := all.Results[0].Classes
	if rows[0].Counts != (report.Counts{Anomalous: 3, Failed: 2}) || rows[1].Counts.Failed != 1 {
		t.Errorf("rows %+v", rows)
	}
	if _, defined := rows[0].Metrics[metrics.ImageAUROC]; defined || rows[0].Metrics[metrics.PixelAUROC] == 0 {
		t.Errorf("a class without normal pictures: %v", rows[0].Metrics)
	}
	for _, row := range rows {
		if want := metricsOf(t, scores, row.Class, of); !maps.Equal(row.Metrics, want) {
			t.Errorf("%s: %v, want %v", row.Class, row.Metrics, want)
		}
	}
	if len(scores) != len(set.Items) || len(of) != len(set.Items)-len(broken) {
		t.Errorf("%d scores, %d maps", len(scores), len(of))
	}
	for i, score := range scores {
		if failed := slices.Contains(broken, set.Items[i].Path); (score.Error != "") != failed || failed && (score.Score != 0 || score.ClassProbability != nil || score.Extras != nil) {
			t.Errorf("%+v", score)
		}
	}
	warnings := seen.warnings()
	if len(warnings) != len(broken) {
		t.Fatalf("warnings %q", warnings)
	}
	for i, text := range warnings {
		if !strings.HasPrefix(text, set.Name+"/") || !strings.Contains(text, broken[i]) {
			t.Errorf("warning %q of %s", text, broken[i])
		}
	}
	if failed, total := all.Failed(); failed != 3 || total != 10 {
		t.Errorf("%d of %d failed", failed, total)
	}
}

// TestEvaluateLeavesUnmaskedPixelsOut checks that an anomalous picture without a mask counts
// only for image metrics, and that the mask threshold is applied and recorded.
func TestEvaluateLeavesUnmaskedPixelsOut(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	o := evaluating(t, set)
	score := func() report.Result {
		t.Helper()
		of := map[string]handed{}
		o.Files = func(_ Job, scored scoring.Scored) error {
			item, m, mask := scored.Picture.Item, cmp.Or(scored.RawMap, scored.Map), scored.Picture.Mask
			of[item.Path] = handed{m.Scores, mask}
			return nil
		}
		result, scores := evaluate(t, o, "")
		if got, want := result.Results[0].Classes[0].Metrics, metricsOf(t, scores, set.Classes[0].Name, of); !maps.Equal(got, want) {
			t.Errorf("metrics %v, want %v", got, want)
		}
		return result.Results[0]
	}
	all := score()
	if all.MaskPolicy != "nonzero, after Pillow's nearest resize to image_size" {
		t.Errorf("mask policy %q", all.MaskPolicy)
	}
	at := slices.IndexFunc(set.Items, func(item data.Item) bool { return item.Anomalous })
	set.Items[at].Mask = ""
	fewer := score()
	if a, b := all.Classes[0], fewer.Classes[0]; a.Metrics[metrics.ImageAUROC] != b.Metrics[metrics.ImageAUROC] || a.Counts != b.Counts {
		t.Error("an anomalous picture without a mask is lost for image metrics")
	}
	if fewer.Classes[0].Metrics[metrics.PixelAP] == all.Classes[0].Metrics[metrics.PixelAP] {
		t.Error("an anomalous picture without a mask counts for pixel metrics")
	}
	set.MaskThreshold = 128
	if high := score(); high.MaskPolicy != "at least 128, after Pillow's nearest resize to image_size" {
		t.Errorf("mask policy %q", high.MaskPolicy)
	}
	for i := range set.Items {
		set.Items[i].Mask = ""
	}
	if row := score().Classes[0]; len(row.Metrics) != 3 || row.Metrics[metrics.ImageAUROC] != all.Classes[0].Metrics[metrics.ImageAUROC] {
		t.Errorf("without masks: %v", row.Metrics)
	}
}

// TestOddMasksAreTold checks the warnings about masks that mark nothing or everything and about masks of other aspect ratios.
func TestOddMasksAreTold(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	o := evaluating(t, set)
	var anomalous []data.Item
	for _, item := range set.Items {
		if item.Anomalous {
			anomalous = append(anomalous, item)
		}
	}
	grey := func(path string, width, height int, value uint8) { writeGrey(t, path, width, height, value) }
	grey(anomalous[0].Mask, 64, 64, 0)
	grey(anomalous[3].Mask, 64, 64, 255)
	grey(anomalous[4].Mask, 64, 32, 255)
	grey(anomalous[5].Mask, 32, 64, 9)
	var seen eventList
	o.Emit = seen.emit
	evaluate(t, o, "")
	want := []string{
		fmt.Sprintf("%s/%s: masks of anomalous pictures that mark no pixel at 28 pixels: 1", set.Name, set.Classes[0].Name),
		fmt.Sprintf("%s/%s: masks of anomalous pictures that mark every pixel at 28 pixels: 3", set.Name, set.Classes[1].Name),
		"2 masks have different aspect ratios than their pictures, by more than 2 %, so marks may be misplaced; the first is " + set.Relative(anomalous[4].Mask) + " of " + set.Relative(anomalous[4].Path),
	}
	if got := seen.warnings(); !slices.EqualFunc(got, want, strings.Contains) {
		t.Errorf("warnings %q, want %q", got, want)
	}
}

// TestEventsTellTheWork checks the events: every picture once, one stage and its costs.
func TestEventsTellTheWork(t *testing.T) {
	set := drawn.Set(t, synth.Objects)
	o := evaluating(t, set)
	o.Jobs[0].Checkpoint.Changes = []string{"model.image_size is 28 and not 336"}
	var seen eventList
	o.Emit = seen.emit
	evaluate(t, o, "")
	if started := of[events.StageStarted](seen); len(started) != 1 || started[0].Unit != "pictures" || started[0].Total != 10 {
		t.Errorf("started %+v", started)
	}
	for i, progress := range of[events.Progress](seen) {
		if progress.Done != i+1 || progress.Total != 10 || progress.Detail != set.Name+"/"+set.Items[i].Class {
			t.Errorf("progress %d: %+v", i, progress)
		}
	}
	costs := of[events.Costs](seen)
	if len(costs) != 1 || costs[0].Total <= 0 || costs[0].Reading <= 0 || costs[0].Model != 10e-9 || costs[0].Metrics <= 0 || costs[0].Waiting != 0 {
		t.Errorf("costs %+v", costs)
	}
	if done := of[events.StageDone](seen); len(done) != 1 || done[0].Stage != "evaluate" {
		t.Errorf("done %+v", done)
	}
	if notices := of[events.Notice](seen); len(notices) != 1 || notices[0].Text != o.Jobs[0].Checkpoint.Changes[0] {
		t.Errorf("notices %+v", notices)
	}
}
