package training

import (
	"fmt"
	"slices"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/config"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/detect"
	"acdclip/pkg/events"
)

// describe returns the metadata of the run's checkpoints.
func (r *run) describe() (checkpoint.Metadata, error) {
	machine, err := r.backbone.Machine()
	if err != nil {
		return checkpoint.Metadata{}, err
	}
	c := r.Config
	metadata := checkpoint.Metadata{
		Method: c.Method, Preset: c.Preset, Model: c.Model, Loss: c.Loss,
		Recipe: checkpoint.Recipe{
			Classes: c.Train.Classes, Limit: c.Train.Limit, Epochs: c.Train.Epochs, Batch: c.Train.Batch, LR: c.Train.LR, LRDecay: c.Train.LRDecay,
			Augment: c.Train.Augment, MaskThreshold: int(r.Set.MaskThreshold), EXIF: c.Data.EXIFOrientation.Applies(), Depth: c.Data.Depth.Bits(),
		},
		Auxiliary: r.Set.Name, ListHash: r.Set.ListHash(), Files: r.Files, CLIP: r.backbone.Source.Fingerprint, Seed: &c.Seed,
		Threads: machine.Threads, Device: "cpu", Versions: checkpoint.Versions{Acdclip: r.Version, Libtorch: machine.Libtorch, Hardware: machine.Hardware},
	}
	if c.Train.Accumulate > 1 {
		metadata.Recipe.Accumulate = c.Train.Accumulate
	}
	if c.Train.Beta1 != config.AdamBeta1 {
		metadata.Recipe.Beta1 = &c.Train.Beta1
	}
	metadata.Recipe.WeightDecay, metadata.Recipe.InOrder, metadata.Recipe.Mosaic = c.Train.Decay, !c.Train.Shuffle, c.Train.Mosaic
	if c.Train.Masks != config.MasksNearest {
		metadata.Recipe.MaskResize = c.Train.Masks
	}
	if c.Train.FeatureFormat != config.FeaturesFP32 {
		metadata.Recipe.FeatureFormat = c.Train.FeatureFormat
	}
	if limit := c.Data.MaxPixels; limit != picture.DefaultMaxPixels {
		metadata.Recipe.MaxPixels = limit
	}
	if format := r.backbone.CLIP.Precision; format != string(config.PrecisionFP32) {
		metadata.Recipe.Precision = format
	}
	if r.held != nil {
		metadata.Recipe.Validate = r.heldOut()
	}
	if r.backbone.Runtime.Device().CUDA {
		metadata.Device = "cuda"
	}
	for _, class := range r.Set.Classes {
		metadata.Prompts = append(metadata.Prompts, class.Prompt)
	}
	slices.Sort(metadata.Prompts)
	return metadata, nil
}

// startFrom checks that a checkpoint was trained on this CLIP and records it in the
// metadata. The datasets and pictures that it was trained on count as those of this
// training too.
func (r *run) startFrom(c *checkpoint.Checkpoint) error {
	initial := c.Metadata
	if initial.CLIP != "" && !r.backbone.Identity.Is(initial.CLIP) {
		return fmt.Errorf("%w: %s was trained on %s, but %s is %s", detect.ErrOtherCLIP, c.Path, initial.CLIP, r.Config.Clip, r.metadata.CLIP)
	}
	r.metadata.Recipe.InitFrom = c.Fingerprint
	r.metadata.Files = r.metadata.Files.Union(initial.Files)
	r.metadata.Earlier = c.Datasets()
	if slices.Contains(r.metadata.Earlier, checkpoint.Unknown) {
		r.Emit(events.Warning{Text: fmt.Sprintf("%s does not say which dataset it was trained on, so acdclip eval cannot tell whether results of this run are zero-shot", c.Path)})
	}
	return nil
}
