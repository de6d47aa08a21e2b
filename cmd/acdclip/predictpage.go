package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"acdclip/internal/rundir"
	"acdclip/pkg/conditions"
	"acdclip/pkg/heatmap"
	"acdclip/pkg/page"
	"acdclip/pkg/plural"
	"acdclip/pkg/report"
)

// page writes the page of all rows, if it is wanted.
func (p *predictions) page() error {
	if !p.options.html {
		return nil
	}
	return p.held.Write(page.Index, func(w io.Writer) error {
		rows, err := os.Open(p.path)
		if err != nil {
			return err
		}
		defer rows.Close()
		writer, err := page.Begin(w, p.describePage())
		if err != nil {
			return err
		}
		err = report.EachPrediction(rows, p.options.format.Rows(), p.options.rawScores, func(row report.ShownPrediction) error {
			return writer.Add(page.Picture{
				Path: row.Path, Class: row.Class, Score: row.Score, MapMax: row.MapMax, Regions: row.Regions, Area: row.Area, Box: row.Box,
				Width: row.Width, Height: row.Height, File: pageFile(row.Thumbnail), Error: row.Error,
			})
		})
		if err != nil {
			return err
		}
		return writer.Close()
	})
}

// refreshPage writes the page while a folder is watched, at once if that is quick: it takes
// at most a small part of the time. changed says that there are new rows.
func (p *predictions) refreshPage(changed bool) error {
	const pause = 20 // times what writing it takes
	p.pageDue = p.pageDue || changed
	if !p.pageDue || time.Since(p.pageWritten) < pause*p.pageTook {
		return nil
	}
	start := time.Now()
	err := p.page()
	p.pageDue, p.pageWritten, p.pageTook = false, time.Now(), time.Since(start)
	return err
}

// describePage says what made the rows.
func (p *predictions) describePage() page.Page {
	run := p.counted(true)
	made := run.Provenance
	facts := append(programFacts(made), modelFacts(run.Checkpoint, made.CLIP, made.ImageSize)...)
	thresholds := "none"
	if run.Thresholds.Source != "" {
		thresholds = fmt.Sprintf("pictures %s, pixels %s, from %s", thresholdText(run.Thresholds.Score), thresholdText(run.Thresholds.Pixel), run.Thresholds.Source)
	}
	facts = append(facts, page.Fact{Name: "thresholds", Value: thresholds}, page.Fact{Name: "last run", Value: run.Started.Format("2006-01-02 15:04:05 MST")})
	for _, condition := range run.Conditions.Only(conditions.Numbers, conditions.Bits) {
		facts = append(facts, page.Fact{Name: condition.Name, Value: condition.Value})
	}
	summary := plural.Of(run.Pictures-run.Failed, "picture", "pictures") + " scored"
	if run.Failed > 0 {
		summary += fmt.Sprintf(", %d failed", run.Failed)
	}
	style := p.drawer.style
	return page.Page{
		Title: "Anomaly scores", Summary: summary + ". Higher scores, from 0 to 1, mean more anomalous.", Facts: facts,
		Colors: style.Map.CSS(), Sets: []page.Set{{Low: style.Scale.Low, High: style.Scale.High, Threshold: run.Thresholds.Score}},
	}
}

// programFacts and modelFacts say on a page what scored.
func programFacts(made report.Provenance) []page.Fact {
	return []page.Fact{{Name: "acdclip", Value: made.Version}, {Name: "device", Value: fmt.Sprintf("%s, %s, libtorch %s", made.Device, made.Precision, made.Libtorch)}}
}

func modelFacts(checkpoint report.Checkpoint, clip report.Source, size int) []page.Fact {
	facts := []page.Fact{{Name: "method", Value: checkpoint.Method}}
	if checkpoint.Path != "" {
		facts = append(facts, page.Fact{Name: "checkpoint", Value: checkpoint.Path + " " + checkpoint.Fingerprint})
	}
	return append(facts, page.Fact{Name: "CLIP", Value: clip.Path + " " + clip.Fingerprint}, page.Fact{Name: "image size", Value: strconv.Itoa(size)})
}

func thresholdText(threshold *float32) string {
	if threshold == nil {
		return "none"
	}
	return fmt.Sprint(*threshold)
}

// colorBar draws the color scale of heat maps.
func (p *predictions) colorBar() error {
	if !p.options.heatmaps {
		return nil
	}
	p.outputs[rundir.ColorBarFile] = "the color scale"
	return p.held.WriteQuickly(rundir.ColorBarFile, func(w io.Writer) error { return heatmap.EncodePNG(w, heatmap.ColorBar(p.drawer.style)) })
}
