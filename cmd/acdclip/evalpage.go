package main

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	"acdclip/pkg/config/section"
	"acdclip/pkg/data"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/page"
	"acdclip/pkg/plural"
	"acdclip/pkg/present"
	"acdclip/pkg/report"
)

// writePage writes the page of an evaluation. scores are in the order of the results.
func (m *pictureFiles) writePage(jobs []evaluation.Job, result *report.Evaluation, scores []report.Score) error {
	return m.folder.Write(page.Index, func(w io.Writer) error {
		writer, err := page.Begin(w, m.describePage(jobs, result))
		if err != nil {
			return err
		}
		for i, job := range jobs {
			counts := result.Results[i].Mean().Counts
			count := counts.Normal + counts.Anomalous + counts.Failed
			for _, score := range scores[:count] {
				if err := writer.Add(m.shown(job, i, score)); err != nil {
					return err
				}
			}
			scores = scores[count:]
		}
		return writer.Close()
	})
}

// shown is what the page says of a picture.
func (m *pictureFiles) shown(job evaluation.Job, set int, score report.Score) page.Picture {
	item := job.Set.Items[score.Place]
	p := page.Picture{Set: set, Path: report.EscapeName(job.Set.Relative(item.Path)), Class: score.Class, Anomalous: score.Anomalous, Error: strings.TrimPrefix(score.Error, score.Path+": ")}
	if score.Error == "" {
		p.Score, p.MapMax = &score.Score, &score.MapMax
	}
	file := path.Join(m.target(job), filepath.ToSlash(fileOf(job.Set, item)))
	if present.Any(m.folder.Path(path.Join(page.ThumbnailTree, file) + ".jpg")) {
		p.File = file
		p.Mask = present.Any(m.folder.Path(path.Join(page.MaskTree, file) + ".png"))
	}
	return p
}

// describePage says what was evaluated.
func (m *pictureFiles) describePage(jobs []evaluation.Job, result *report.Evaluation) page.Page {
	p := page.Page{
		Title: "Evaluation", Summary: summarized(jobs, result) + ". Metrics are in percent, computed as in results.json; curves are of the pictures that are chosen.",
		Facts:  programFacts(result.Provenance),
		Colors: m.colorMap.CSS(), Labels: true,
	}
	for i := range result.Results {
		p.Sets = append(p.Sets, m.describeSet(jobs[i], &result.Results[i], result.Provenance))
	}
	return p
}

// summarized counts the pictures of an evaluation, each once however many models scored it.
func summarized(jobs []evaluation.Job, result *report.Evaluation) string {
	scored, failed := 0, 0
	seen := map[*data.Dataset]bool{}
	for i, job := range jobs {
		if seen[job.Set] {
			continue
		}
		seen[job.Set] = true
		counts := result.Results[i].Mean().Counts
		scored, failed = scored+counts.Normal+counts.Anomalous, failed+counts.Failed
	}
	text := plural.Of(scored, "picture", "pictures") + " scored"
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	return text
}

func (m *pictureFiles) describeSet(job evaluation.Job, r *report.Result, made report.Provenance) page.Set {
	clip := made.CLIP
	if r.CLIP != nil {
		clip = *r.CLIP
	}
	size := made.ImageSize
	if r.ImageSize != 0 {
		size = r.ImageSize
	}
	name := report.EscapeName(r.Target)
	if m.several[job.Set.Name] {
		name += ": " + r.Checkpoint.Model + " " + r.Checkpoint.Path
	}
	heading, rows := r.Table()
	low, high := section.MapScale(job.Checkpoint.Options)
	set := page.Set{
		Name: name, Low: low, High: high,
		Table: &page.Table{Columns: heading, Rows: rows, Mean: true},
		Facts: append([]page.Fact{{Name: "target", Value: r.Target}}, modelFacts(r.Checkpoint, clip, size)...),
	}
	if r.Leak {
		set.Facts = append(set.Facts, page.Fact{Name: "not zero-shot", Value: "the checkpoint was trained on the target or some of its files"})
	}
	if len(r.Classes) == 1 && r.Classes[0].F1Thresholds != nil {
		set.Threshold = r.Classes[0].F1Thresholds.Image
	}
	return set
}
