package main

import (
	"context"
	"fmt"

	"acdclip/internal/ui"
	"acdclip/pkg/plural"
	"acdclip/pkg/training"
)

// estimate prints what a training will be and take: the configuration, with the
// rest as comments behind it, so that all of it can be given to --config.
func (o *trainOptions) estimate(ctx context.Context, options training.Options) error {
	c, set := options.Config, options.Set
	text, err := c.YAML()
	if err != nil {
		return err
	}
	if options.Resume != nil {
		options.Contents = options.Resume.Contents // not read for a trial
	}
	estimate, err := options.Estimate(ctx)
	if err != nil {
		return o.app.ended(err, "")
	}
	normal, anomalous := set.Total()
	lines := []string{
		fmt.Sprintf("%s: %s, %d normal and %d anomalous pictures; run folder: %s", set.Name, plural.Of(len(set.Classes), "class", "classes"), normal, anomalous, o.out),
		estimate.Conditions,
		fmt.Sprintf("%s, %s, of which %d are left", plural.Of(c.Train.Epochs, "epoch", "epochs"), plural.Of(estimate.Steps, "step", "steps"), estimate.Left),
	}
	if estimate.Measured > 0 {
		lines = append(lines, fmt.Sprintf("about %.2g s per step (%s): %s in total", estimate.SecondsPerStep, plural.Of(estimate.Measured, "measured step", "measured steps"), ui.Duration(estimate.SecondsPerStep*float64(estimate.Left))))
	}
	if estimate.HeldOut > 0 {
		lines = append(lines, fmt.Sprintf("about %.2g s per validation on %s after each epoch: %s more in total",
			estimate.SecondsPerValidation, plural.Of(estimate.HeldOut, "picture", "pictures"), ui.Duration(estimate.SecondsPerValidation*float64(estimate.Validations))))
	}
	if peak := peakMemory("/proc"); peak > 0 {
		text := fmt.Sprintf("about %s of memory, including %s for decoded pictures that will be cached (data.cache)", ui.Gigabytes(peak+estimate.Cache+estimate.Features), ui.Gigabytes(estimate.Cache))
		if estimate.Features > 0 {
			text += fmt.Sprintf(" and %s for vision features that will be kept (train.feature_cache)", ui.Gigabytes(estimate.Features))
		}
		lines = append(lines, text)
	}
	if estimate.Features > 0 {
		lines = append(lines, "the time is that of the first epoch's steps; later ones are faster, because vision features are kept")
	}
	if _, err := o.app.out.Write(text); err != nil {
		return err
	}
	for _, line := range lines {
		if _, err := fmt.Fprintf(o.app.out, "# %s\n", ui.Visible(line)); err != nil {
			return err
		}
	}
	return nil
}
