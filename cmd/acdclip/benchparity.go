package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"acdclip/pkg/clip"
	"acdclip/pkg/config"
	"acdclip/pkg/data"
	"acdclip/pkg/detect"
	"acdclip/pkg/domain"
	"acdclip/pkg/events"
	"acdclip/pkg/parity"
	"acdclip/pkg/plural"
	"acdclip/pkg/scoring"
)

// errParity says that a number format departs too far from fp32.
var errParity = errors.New("a number format misses a bound; see the verdicts above")

// parityReport is what --parity prints as JSON.
type parityReport struct {
	Pictures int             `json:"pictures"`
	Failed   int             `json:"failed"` // that could not be scored
	Bounds   parityBounds    `json:"bounds"`
	Results  []parity.Result `json:"results"`
	Verdicts []string        `json:"verdicts"` // of each result, in words
}

type parityBounds struct {
	MapMean float64 `json:"map_mean_difference"`
	Points  float64 `json:"image_auroc_points"`
}

// runParity compares formats with fp32 on pictures.
func (o *benchOptions) runParity(ctx context.Context, loaded config.Loaded) error {
	others, err := o.others()
	if err != nil {
		return err
	}
	set, found, err := o.parityPictures(ctx, loaded.Config)
	if err != nil {
		return err
	}
	open := o.opener(loaded)
	single, err := open(ctx, string(config.PrecisionFP32))
	if err != nil {
		return err
	}
	defer single.Close()
	if err := o.app.tell(&o.config, single.Model.Configuration()); err != nil {
		return err
	}
	options := parity.Options{Single: single, Batch: o.batch, Load: loadOptions(loaded.Config), Emit: o.app.emit}
	for _, format := range others {
		detector, err := open(ctx, format)
		if err != nil {
			return err
		}
		defer detector.Close()
		options.Others = append(options.Others, parity.Named{Precision: format, Scorer: detector})
	}
	o.fill(&options, single, set, found)
	results, failed, err := parity.Run(ctx, options)
	if err != nil {
		return o.app.ended(detect.Explain(err, "--batch"), "")
	}
	if results == nil {
		return failures(failed, len(options.Items))
	}
	report := parityReport{Pictures: len(options.Items), Failed: failed, Bounds: parityBounds{parity.MostMapMean, parity.MostPoints}, Results: results}
	if err := o.writeParity(report); err != nil {
		return err
	}
	return report.judge()
}

// judge returns the error of a format that misses a bound, else that of failed pictures.
func (r parityReport) judge() error {
	if slices.ContainsFunc(r.Results, func(result parity.Result) bool { return !result.Within }) {
		return errParity
	}
	return failures(r.Failed, r.Pictures)
}

// others are the formats to compare with fp32.
func (o *benchOptions) others() ([]string, error) {
	wanted := o.formats
	if wanted == nil {
		for _, format := range clip.Formats() {
			wanted = append(wanted, format.Name)
		}
	}
	wanted = slices.DeleteFunc(slices.Clone(wanted), func(name string) bool { return name == string(config.PrecisionFP32) })
	if len(wanted) == 0 {
		return nil, usagef("--parity compares other formats with fp32; give --precision bf16, int8 or all")
	}
	return wanted, nil
}

// parityPictures finds the pictures: a dataset, if one folder is given that is one, else
// files and folders without labels.
func (o *benchOptions) parityPictures(ctx context.Context, c config.Config) (*data.Dataset, []data.Found, error) {
	if info, err := os.Stat(o.inputs[0]); len(o.inputs) == 1 && err == nil && info.IsDir() {
		name := filepath.Base(absolutePath(o.inputs[0]))
		c.Data.Roots = maps.Clone(c.Data.Roots)
		c.Data.Roots[name] = config.Root{Path: o.inputs[0]}
		set, err := o.app.choose(ctx, c, name, selection{})
		switch {
		case err == nil:
			normal, anomalous := set.Total()
			o.app.emit(events.Notice{Text: fmt.Sprintf("%s: %d normal and %d anomalous pictures, of %s", name, normal, anomalous, plural.Of(len(set.Classes), "class", "classes"))})
			return set, nil, nil
		case !errors.Is(err, data.ErrNoLayout):
			return nil, nil, err
		}
	}
	found, _, err := o.app.scanPictures(ctx, o.inputs, "")
	if err == nil {
		o.app.emit(events.Notice{Text: "the pictures have no labels, so there is no AUROC; a dataset folder has them (acdclip help datasets)"})
	}
	return nil, found, err
}

// fill adds the pictures with their classes: the dataset's, or without one --class.
func (o *benchOptions) fill(options *parity.Options, detector *detect.Detector, set *data.Dataset, found []data.Found) {
	var classes scoring.Classes
	if set == nil {
		o.tellClass(detector.Model.Options)
		for _, picture := range found {
			options.Items = append(options.Items, data.Item{Path: picture.Path})
			options.ClassOf = append(options.ClassOf, classes.Place(promptFor(detector, o.class)))
		}
		options.Classes = domain.Classes{Prompts: classes.Prompts, Domain: o.domain}
		return
	}
	prompts := map[string]string{}
	for _, class := range set.Classes {
		prompts[class.Name] = set.PromptOf(detector.Model.Options, class)
		if o.config.flags.Changed("class") {
			prompts[class.Name] = promptFor(detector, o.class)
		}
	}
	if len(set.Classes) == 1 && set.Classes[0].Name == set.Name && !o.config.flags.Changed("class") && namesClass(detector.Model.Options) {
		o.app.emit(events.Notice{Text: fmt.Sprintf("the prompts call what the pictures show %q; --class NAME says it better", prompts[set.Name])})
	}
	for _, item := range set.Items {
		options.ClassOf = append(options.ClassOf, classes.Place(prompts[item.Class]))
	}
	if !o.config.flags.Changed("domain") {
		o.domain = set.Domain
	}
	options.Items, options.Labelled, options.Load.MaskThreshold = set.Items, true, set.MaskThreshold
	options.Classes = domain.Classes{Prompts: classes.Prompts, Domain: o.domain}
}

// writeParity prints the results, and says in words what they mean.
func (o *benchOptions) writeParity(report parityReport) error {
	for _, result := range report.Results {
		report.Verdicts = append(report.Verdicts, result.Verdict())
	}
	if o.format == benchJSON {
		encoder := json.NewEncoder(o.app.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	text := parity.Table(report.Results) + "\n"
	for _, verdict := range report.Verdicts {
		text += verdict + ".\n"
	}
	_, err := fmt.Fprint(o.app.out, text)
	return err
}

var _ parity.Scorer = (*detect.Detector)(nil)
