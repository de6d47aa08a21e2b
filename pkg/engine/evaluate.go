package engine

import (
	"context"
	"fmt"
	"time"

	"acdclip/pkg/data"
	"acdclip/pkg/data/picture"
	"acdclip/pkg/metrics"
	"acdclip/pkg/model"
	"acdclip/pkg/report"
)

// maskPolicy says how masks become labels of pixels.
func maskPolicy(threshold uint8) string {
	policy := "nonzero"
	if threshold > picture.NonZero {
		policy = fmt.Sprintf("at least %d", threshold)
	}
	return policy + ", after Pillow's nearest resize to image_size"
}

// EvaluateOptions say how Evaluate reads and scores.
type EvaluateOptions struct {
	Batch  int
	Load   data.LoadOptions
	Pixels metrics.Options // how the scores of pixels are kept
}

// Evaluate scores a target dataset class by class. It returns the metrics and
// every picture's score. An unreadable picture is counted, reported as a warning
// and left out.
func (d *Detector) Evaluate(ctx context.Context, set *data.Dataset, o EvaluateOptions, emit func(report.Event)) (report.Result, []report.Score, error) {
	stage, start := "evaluate "+set.Name, time.Now()
	emit(report.StageStarted{Stage: stage, Unit: "pictures", Total: len(set.Items)})
	result := report.Result{Target: set.Name, ListHash: set.ListHash(), MaskPolicy: maskPolicy(set.MaskThreshold), Checkpoint: d.Source}
	var scores []report.Score
	o.Load.Masks, o.Load.MaskThreshold = set.HasMasks(), set.MaskThreshold
	for _, class := range set.Classes {
		row, err := d.evaluateClass(ctx, set, class, o, emit, func(score report.Score) {
			scores = append(scores, score)
			emit(report.Progress{Stage: stage, Done: len(scores), Total: len(set.Items)})
		})
		if err != nil {
			return result, scores, fmt.Errorf("evaluating %s/%s: %w", set.Name, class.Name, err)
		}
		result.Classes = append(result.Classes, row)
	}
	emit(report.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	return result, scores, nil
}

// evaluateClass scores one class's pictures and hands on each one's score.
func (d *Detector) evaluateClass(ctx context.Context, set *data.Dataset, class data.Class, o EvaluateOptions, emit func(report.Event), each func(report.Score)) (report.Row, error) {
	pixels, err := metrics.NewPixels(o.Pixels)
	if err != nil {
		return report.Row{}, err
	}
	defer pixels.Close()
	tally := &tally{detector: d, set: set, class: class, masks: o.Load.Masks, pixels: pixels}
	w := work{classes: []model.Class{{Prompt: class.Prompt, Domain: set.Domain}}, batch: o.Batch, load: o.Load}
	for _, item := range set.Items {
		if item.Class == class.Name {
			w.items = append(w.items, item)
			w.classOf = append(w.classOf, 0)
		}
	}
	err = d.judge(ctx, w, func(judged Judged) error {
		score, err := tally.add(judged, emit)
		each(score)
		return err
	})
	if err != nil {
		return report.Row{}, err
	}
	return tally.row()
}

// tally gathers one class's scores.
type tally struct {
	detector *Detector
	set      *data.Dataset
	class    data.Class
	masks    bool
	counts   report.Counts
	images   []float32
	labels   []bool
	pixels   *metrics.Pixels
}

func (t *tally) add(judged Judged, emit func(report.Event)) (report.Score, error) {
	item := judged.Picture.Item
	score := report.Score{
		Target: t.set.Name, Class: t.class.Name, Checkpoint: t.detector.Source.Path, Path: item.Path, Anomalous: item.Anomalous,
		Score: judged.Score, ClassProbability: judged.ClassProbability, MapMax: judged.MapMax,
	}
	if judged.Err != nil {
		score.Error = judged.Err.Error()
		t.counts.Failed++
		emit(report.Warning{Text: fmt.Sprintf("%s/%s: %v", t.set.Name, t.class.Name, judged.Err)})
		return score, nil
	}
	if item.Anomalous {
		t.counts.Anomalous++
	} else {
		t.counts.Normal++
	}
	t.images = append(t.images, judged.Score)
	t.labels = append(t.labels, item.Anomalous)
	if !t.masks || !item.HasPixelTruth() {
		return score, nil
	}
	size := t.detector.Input().Size
	return score, t.pixels.Add(judged.Map, judged.Picture.Mask, size, size)
}

func (t *tally) row() (report.Row, error) {
	row := report.Row{Class: t.class.Name, Prompt: t.class.Prompt, Counts: t.counts}
	if err := setImageMetrics(&row.Metrics, t.images, t.labels); err != nil || !t.masks {
		return row, err
	}
	return row, setPixelMetrics(&row.Metrics, t.pixels)
}
