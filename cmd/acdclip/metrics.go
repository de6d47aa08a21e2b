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
	memory      int64 // MiB
	fprLimit    float64
	threshold   uint8 // of masks
	format      report.Format
}

func newMetricsCommand(a *app) *cobra.Command {
	o := &metricsOptions{app: a, format: report.FormatTable}
	command := &cobra.Command{
		Use:   "metrics MAPS MASKS",
		Short: "Judge any method's anomaly maps by their masks",
		Long: `Judge any method's anomaly maps by their masks: AUROC, AP and F1-max of pixels and
pictures, and AUPRO of pixels; exact, over every distinct score.

MAPS is a folder of maps, one a picture: NumPy's .npy, uncompressed TIFF of 32-bit
floats, or 16-bit grey PNG; scores are taken as 32-bit floats. MASKS is a folder of
masks of the same names, with _mask, _gt or _label or without, and of the same sizes;
or of folders of such names, each with several masks of which any counts. A map below
a folder good, ok or normal is a normal picture's and needs no mask; one below any
other folder is an anomalous picture's; where it lies in no folder, its mask says so.
Any mask value but zero is anomalous, or with --mask-threshold N each from N on. A
picture's score is its map's maximum. All maps are taken together, as those of one
class: give the folder of a class to judge it alone.`,
		Example: `  acdclip metrics maps/ bottle/ground_truth/ --format json
  acdclip metrics acdclip-eval/maps/mvtec/bottle acdclip-eval/masks/mvtec/bottle   (of eval --save-maps)`,
		Args: func(_ *cobra.Command, arguments []string) error {
			if len(arguments) != 2 || arguments[0] == "" || arguments[1] == "" {
				return usagef("two folders are wanted: MAPS and MASKS")
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
	flags.Float64Var(&o.fprLimit, "fpr-limit", metrics.DefaultFPRLimit, "AUPRO goes to this false-positive rate, `F` in (0, 1]")
	flags.Uint8Var(&o.threshold, "mask-threshold", picture.NonZero, "a mask's pixel is anomalous from this grey value, `N` in 1 to 255, on")
	ui.Choice(flags, &o.format, "format", report.Formats(), "how the result is printed")
	o.display.Register(flags)
	return command
}

func runMetrics(ctx context.Context, o *metricsOptions) error {
	o.app.screen.Use(o.display)
	if err := checkMetricsMemory(o.memory); err != nil {
		return err
	}
	if o.threshold == 0 {
		return usagef("--mask-threshold 0: it must be from 1 to 255")
	}
	if !(o.fprLimit > 0 && o.fprLimit <= 1) {
		return usagef("--fpr-limit %v: it must be above 0 and at most 1", o.fprLimit)
	}
	pairs, err := data.PairMaps(ctx, o.maps, o.masks)
	if err != nil {
		return err
	}
	result, err := evaluation.EvaluateMaps(ctx, pairs, evaluation.MapOptions{
		Pixels: metrics.Options{Memory: o.memory << 20, FPRLimit: o.fprLimit}, MaskThreshold: o.threshold,
	}, o.app.emit)
	if err != nil {
		return err
	}
	return result.Write(o.app.out, o.format)
}
