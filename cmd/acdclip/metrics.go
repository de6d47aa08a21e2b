package main

import (
	"context"

	"github.com/spf13/cobra"

	"acdclip/internal/ui"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/evaluation"
	"acdclip/pkg/metrics"
	"acdclip/pkg/report"
)

// metricsOptions are what `acdclip metrics` was asked for.
type metricsOptions struct {
	app         *app
	display     ui.Options
	maps, masks string
	scores      string // a CSV file with image scores; "" for the maps' maxima
	memory      int64  // MiB
	fprLimit    float64
	threshold   uint8 // of masks
	format      report.Format
}

func newMetricsCommand(a *app) *cobra.Command {
	o := &metricsOptions{app: a, format: report.FormatTable}
	command := &cobra.Command{
		Use:   "metrics MAPS MASKS",
		Short: "Compute metrics of any method's anomaly maps",
		Long: `Compute metrics of any method's anomaly maps: AUROC, AP and F1-max of pictures and
of pixels, and AUPRO of pixels. All are exact.

MAPS is a folder with one map per picture: NumPy .npy, uncompressed TIFF of 32-bit
floats, or 16-bit grey PNG. MASKS is a folder of masks with the same names, with or
without _mask, _gt or _label at the end, and of the same sizes as the maps. A mask
may also be a folder with several files; a pixel is anomalous if any of them marks
it. Every mask value but zero marks a pixel; with --mask-threshold N, values from N.

Maps below a folder good, ok or normal belong to normal pictures and need no mask;
maps below any other folder belong to anomalous ones. A map in no folder is labelled
by its mask. The score of a picture is the maximum of its map, or with --scores that
of a CSV file with the columns path and score, as predict and eval write it.

Where all maps lie in folders of classes (CLASS/good/..., CLASS/crack/...), there is a
row per class and their mean, as in eval. Other maps are taken as one class.`,
		Example: `  acdclip metrics maps/ bottle/ground_truth/ --format json
  acdclip metrics acdclip-eval/maps/mvtec acdclip-eval/masks/mvtec     (of eval --save-maps)`,
		Args: func(_ *cobra.Command, arguments []string) error {
			if len(arguments) != 2 || arguments[0] == "" || arguments[1] == "" {
				return usagef("expected two folders: MAPS and MASKS")
			}
			return nil
		},
		RunE: func(command *cobra.Command, arguments []string) error {
			o.maps, o.masks = arguments[0], arguments[1]
			return runMetrics(command.Context(), o)
		},
	}
	flags := command.Flags()
	metricsMemoryVar(flags, &o.memory)
	flags.Float64Var(&o.fprLimit, "fpr-limit", metrics.DefaultFPRLimit, "`F` integrate AUPRO up to this false-positive rate, in (0, 1]")
	flags.Uint8Var(&o.threshold, "mask-threshold", picture.NonZero, "`N` mask pixels with at least this grey value are anomalous, from 1 to 255")
	flags.StringVar(&o.scores, "scores", "", "`FILE` CSV file with the columns path and score: image scores in place of the maps' maxima")
	ui.Choice(flags, &o.format, "format", report.Formats(), "output format")
	o.display.Register(flags)
	return command
}

func runMetrics(ctx context.Context, o *metricsOptions) error {
	o.app.screen.Use(o.display)
	if err := checkMetricsMemory(o.memory); err != nil {
		return err
	}
	if o.threshold == 0 {
		return usagef("--mask-threshold 0: must be from 1 to 255")
	}
	if !(o.fprLimit > 0 && o.fprLimit <= 1) {
		return usagef("--fpr-limit %v: must be above 0 and at most 1", o.fprLimit)
	}
	pairs, err := data.PairMaps(ctx, o.maps, o.masks)
	if err != nil {
		return err
	}
	if o.scores != "" {
		if err := data.ScoreMaps(pairs, o.maps, o.scores); err != nil {
			return err
		}
	}
	options := evaluation.MapOptions{Pixels: metrics.Options{Memory: o.memory << 20, FPRLimit: o.fprLimit}, MaskThreshold: o.threshold}
	if pairs[0].Class == "" {
		result, err := evaluation.EvaluateMaps(ctx, pairs, options, o.app.emit)
		if err != nil {
			return err
		}
		result.ScoresFrom = o.scores
		return result.Write(o.app.out, o.format)
	}
	classes, err := evaluation.EvaluateMapClasses(ctx, pairs, options, o.app.emit)
	if err != nil {
		return err
	}
	for i := range classes {
		classes[i].ScoresFrom = o.scores
	}
	return classes.Write(o.app.out, o.format)
}
