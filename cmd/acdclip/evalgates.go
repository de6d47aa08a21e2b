package main

import (
	"io"
	"path/filepath"

	"acdclip/internal/rundir"
	"acdclip/pkg/chart"
	"acdclip/pkg/report"
)

// writeGates writes the gateway's mean weights, as rows and as a chart for each
// result, where the scores have them.
func writeGates(folder *rundir.Evaluation, result *report.Evaluation, scores []report.Score) error {
	means := result.GateMeans(scores)
	if means == nil {
		return nil
	}
	if err := folder.Write(rundir.GatesFile, func(w io.Writer) error { return report.WriteGatesCSV(w, means) }); err != nil {
		return err
	}
	several := map[string]int{}
	for _, r := range result.Results {
		several[r.Target]++
	}
	for len(means) > 0 {
		first, count := means[0].Result, 0
		for count < len(means) && means[count].Result == first {
			count++
		}
		name := first.Target
		if several[name] > 1 {
			name += "-" + folderName(first.Checkpoint)
		}
		path, own := filepath.Join(rundir.GatesTree, name+".png"), means[:count]
		if len(first.Classes) == 1 {
			own = own[:1] // all classes are the one
		}
		title := first.Target + ": " + first.Checkpoint.Path
		if err := folder.Write(path, func(w io.Writer) error { return chart.DrawGates(w, path, title, own) }); err != nil {
			return err
		}
		means = means[count:]
	}
	return nil
}
