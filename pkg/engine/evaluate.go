package engine

import (
	"context"
	"errors"
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
	Batch int
	Load  data.LoadOptions
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
		tally := &tally{detector: d, set: set, class: class, masks: o.Load.Masks}
		w := work{classes: []model.Class{{Prompt: class.Prompt, Domain: set.Domain}}, batch: o.Batch, load: o.Load}
		for _, item := range set.Items {
			if item.Class == class.Name {
				w.items = append(w.items, item)
				w.classOf = append(w.classOf, 0)
			}
		}
		err := d.judge(ctx, w, func(judged Judged) error {
			score, err := tally.add(judged, emit)
			scores = append(scores, score)
			emit(report.Progress{Stage: stage, Done: len(scores), Total: len(set.Items)})
			return err
		})
		if err != nil {
			return result, scores, fmt.Errorf("evaluating %s/%s: %w", set.Name, class.Name, err)
		}
		row, err := tally.row()
		if err != nil {
			return result, scores, fmt.Errorf("metrics of %s/%s: %w", set.Name, class.Name, err)
		}
		result.Classes = append(result.Classes, row)
	}
	emit(report.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	return result, scores, nil
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
	pixels   metrics.Pooled
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
	return score, t.pixels.Add(judged.Map, judged.Picture.Mask)
}

func (t *tally) row() (report.Row, error) {
	row := report.Row{Class: t.class.Name, Prompt: t.class.Prompt, Counts: t.counts}
	var err error
	if row.ImageAUROC, err = defined(metrics.AUROC(t.images, t.labels)); err != nil {
		return row, err
	}
	if row.ImageAP, err = defined(metrics.AP(t.images, t.labels)); err != nil {
		return row, err
	}
	if !t.masks {
		return row, nil
	}
	summary, err := t.pixels.Summary()
	if row.PixelAUROC, err = defined(summary.AUROC, err); err != nil || row.PixelAUROC == nil {
		return row, err
	}
	row.PixelAP = &summary.AP
	return row, nil
}

// defined turns a metric that one class alone leaves undefined into nil.
func defined(value float64, err error) (*float64, error) {
	if errors.Is(err, metrics.ErrOneClass) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &value, nil
}
