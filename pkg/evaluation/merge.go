package evaluation

import (
	"context"
	"fmt"
	"slices"
	"time"

	"acdclip/pkg/conditions"
	"acdclip/pkg/config/section"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/events"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
)

// Merge merges the shares of an evaluation, in folders below path with the names of
// finished.Share.Folder. The results are bit-identical to those of Run without shares. It
// needs neither CLIP nor pictures. The error wraps finished.ErrNoShares if shares are
// missing or unfinished, and finished.ErrDiffers if one belongs to another evaluation.
func Merge(ctx context.Context, path string, pixels metrics.Options, emit func(events.Event)) (*report.Evaluation, []report.Score, error) {
	shares, err := finished.OpenAll(path)
	if err != nil {
		return nil, nil, err
	}
	const stage = "merge"
	saved := conditions.Record{{Name: report.FilesCondition}}
	start := time.Now()
	result := shares[0].Plan.Evaluation
	for _, share := range shares[1:] { // maps count as saved only if all shares saved them
		if share.Plan.Evaluation.Conditions.Named(saved).Compare(result.Conditions.Named(saved)) != nil {
			result.Conditions = append(result.Conditions.Without(report.FilesCondition), conditions.Of(conditions.Extras, report.FilesCondition, ""))
		}
	}
	total, done := 0, 0
	for _, r := range result.Results {
		total += len(r.Classes)
	}
	emit(events.StageStarted{Stage: stage, Unit: "classes", Total: total})
	var scores []report.Score
	for i, r := range result.Results {
		for j := range r.Classes {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			class, err := mergeClass(shares, i, j, pixels)
			if err != nil {
				return nil, nil, fmt.Errorf("merging %s/%s: %w", r.Target, r.Classes[j].Class, err)
			}
			r.Classes[j] = class.Row
			scores = append(scores, class.Scores...)
			for _, score := range class.Scores {
				if score.Error != "" {
					emit(failedPicture(score.Target, score.Class, score.Error))
				}
			}
			done++
			emit(events.Progress{Stage: stage, Done: done, Total: total})
		}
	}
	emit(events.StageDone{Stage: stage, Seconds: time.Since(start).Seconds()})
	return &result, scores, nil
}

// mergeClass merges one class of a result.
func mergeClass(shares []*finished.Folder, result, class int, o metrics.Options) (finished.Class, error) {
	pixels, err := metrics.NewPixels(o)
	if err != nil {
		return finished.Class{}, err
	}
	row := shares[0].Plan.Evaluation.Results[result].Classes[class]
	c := &Class{Row: row, rule: section.ScoreRule(shares[0].Plan.Evaluation.Results[result].ScoreRule), pixels: pixels}
	defer pixels.Close()
	for _, share := range shares {
		part, err := share.Finished(result, class)
		switch {
		case err != nil:
			return finished.Class{}, err
		case part == nil:
			return finished.Class{}, fmt.Errorf("%w: share %s is not finished; continue it with `acdclip eval --shard %s ... --resume`", finished.ErrNoShares, share.Plan.Share, share.Plan.Share)
		}
		c.Row.Normal += part.Row.Normal
		c.Row.Anomalous += part.Row.Anomalous
		c.Row.Failed += part.Row.Failed
		for _, score := range part.Scores {
			score.Checkpoint = shares[0].Plan.Evaluation.Results[result].Checkpoint.Path // its path may differ between shares
			c.Scores = append(c.Scores, score)
		}
		if err := share.ReadPixels(result, class, part, pixels); err != nil {
			return finished.Class{}, err
		}
	}
	slices.SortFunc(c.Scores, func(a, b report.Score) int { return a.Place - b.Place })
	for _, score := range c.Scores {
		if score.Error == "" {
			c.images, c.labels = append(c.images, score.Score), append(c.labels, score.Anomalous)
		}
	}
	err = c.ComputeMetrics()
	return finished.Class{Row: c.Row, Scores: c.Scores}, err
}
