package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/data"
	"acdclip/pkg/data/picture"
	"acdclip/pkg/paper"
	"acdclip/pkg/report"
	"acdclip/pkg/shard"
)

// makePlan describes everything but the machine.
func (e *evaluation) makePlan() error {
	c := e.Config.Config
	first := e.Jobs[0].Checkpoint
	used := c
	used.Model = first.Model
	text, err := json.Marshal(used)
	if err != nil {
		return fmt.Errorf("describing the configuration: %w", err)
	}
	e.plan = shard.Plan{
		Share: e.Share, Batch: e.Batch, EXIFOrientation: c.Data.EXIFOrientation, MaxPixels: c.Data.MaxPixels, Maps: e.MapFormat, Gates: e.Gates,
		Evaluation: report.Evaluation{Provenance: report.Provenance{
			Version: e.Version, Precision: string(c.Precision.Format()), Seed: c.Seed, ImageSize: first.Model.ImageSize, Config: text,
		}},
	}
	dealt := make(deal, max(1, e.Share.Of))
	for _, job := range e.Jobs {
		options, err := json.Marshal(job.Checkpoint.Model)
		if err != nil {
			return fmt.Errorf("describing the model of %s: %w", job.Checkpoint.Path, err)
		}
		sum := sha256.Sum256(options)
		planned := shard.Job{Model: "sha256:" + hex.EncodeToString(sum[:]), Domain: string(job.Set.Domain)}
		for _, count := range job.Set.Counts() {
			planned.First = append(planned.First, dealt.class(count.Normal+count.Anomalous, e.Batch))
		}
		e.plan.Jobs = append(e.plan.Jobs, planned)
		e.plan.Evaluation.Results = append(e.plan.Evaluation.Results, job.result())
		e.finished = append(e.finished, make([]*shard.Class, len(job.Set.Classes)))
	}
	e.left = make([][]classBatches, len(e.Jobs))
	return nil
}

// result is the job's result without its numbers. Its names are valid UTF-8, so
// that they are the same in every file, and after they were read from one.
func (j Job) result() report.Result {
	set := j.Set
	r := report.Result{
		Target: report.ValidText(set.Name), Domain: string(set.Domain), ListHash: set.ListHash(), MaskPolicy: maskPolicy(set.MaskThreshold), Checkpoint: j.Checkpoint.Source, Leak: j.Leak,
	}
	r.Checkpoint.Path = report.ValidText(r.Checkpoint.Path)
	if set.Benchmark != nil {
		r.Benchmark, r.Deviations = set.Benchmark.Key, j.deviations()
	}
	r.Classes = rows(set)
	return r
}

// rows are those of a dataset's classes, without numbers.
func rows(set *data.Dataset) []report.Row {
	list := make([]report.Row, len(set.Classes))
	for i, class := range set.Classes {
		list[i] = report.Row{Class: report.ValidText(class.Name), Prompt: report.ValidText(class.Prompt)}
	}
	return list
}

// deviations says why a benchmark's result does not compare with what is published of it.
func (j Job) deviations() []string {
	var list []string
	if all, chosen := len(j.Set.Whole().Items), len(j.Set.Items); chosen < all {
		list = append(list, fmt.Sprintf("%d of its %d pictures were chosen", chosen, all))
	}
	if slices.ContainsFunc(j.Set.Findings, func(f data.Finding) bool { return f.Code == data.CountMismatch || f.Code == data.KnownSubset }) {
		list = append(list, "its counts are not those of the public list")
	}
	if size := j.Checkpoint.Model.ImageSize; !slices.Contains(paper.ImageSizes(), size) {
		list = append(list, fmt.Sprintf("scored at %d pixels", size))
	}
	if j.Set.Benchmark.Uncounted {
		list = append(list, "no list of the paper's pictures is public")
	}
	usual := paper.Auxiliary(j.Set.Benchmark.Key)
	if auxiliary := j.Checkpoint.Metadata.Auxiliary; auxiliary != checkpoint.Unknown && !data.SameDataset(auxiliary, usual) {
		list = append(list, fmt.Sprintf("trained on %s and not on %s", auxiliary, usual))
	}
	return list
}

// maskPolicy says how masks become labels of pixels.
func maskPolicy(threshold uint8) string {
	policy := "nonzero"
	if threshold > picture.NonZero {
		policy = fmt.Sprintf("at least %d", threshold)
	}
	return policy + ", after Pillow's nearest resize to image_size"
}

// CheckFinished checks that finished results are what o asks for: the same targets
// with the same pictures, scored by the same checkpoints in the same way. Else the
// error wraps shard.ErrDiffers and names what differs. The machine does not matter.
func CheckFinished(found *report.Evaluation, o EvaluateOptions) error {
	e := evaluation{EvaluateOptions: o}
	if err := e.makePlan(); err != nil {
		return err
	}
	asked := e.plan.Evaluation
	same := slices.EqualFunc(found.Results, asked.Results, func(a, b report.Result) bool {
		return a.Target == b.Target && a.Checkpoint.Fingerprint == b.Checkpoint.Fingerprint
	})
	if !same {
		return fmt.Errorf("%w: the targets or the checkpoints are others", shard.ErrDiffers)
	}
	for i, a := range found.Results {
		b := asked.Results[i]
		prompts := func(x, y report.Row) bool { return x.Class == y.Class && x.Prompt == y.Prompt }
		switch {
		case a.ListHash != b.ListHash || !slices.EqualFunc(a.Classes, b.Classes, prompts):
			return fmt.Errorf("%w: target %s had other pictures, labels, masks or prompt names", shard.ErrDiffers, a.Target)
		case a.MaskPolicy != b.MaskPolicy:
			return fmt.Errorf("%w: the masks of target %s were read in another way", shard.ErrDiffers, a.Target)
		}
	}
	return sameScoring(found, &asked)
}

// sameScoring compares what of the configuration changes scores.
func sameScoring(found, asked *report.Evaluation) error {
	there, err := flattened(found.Provenance.Config)
	if err != nil {
		return fmt.Errorf("the configuration in the results: %w", err)
	}
	here, err := flattened(asked.Provenance.Config)
	if err != nil {
		return err
	}
	there["precision"], here["precision"] = found.Provenance.Precision, asked.Provenance.Precision // resolved
	matters := map[string]bool{"precision": true, "data.exif_orientation": true}
	for _, result := range asked.Results { // the domain chooses the score's weights and the smoothing
		matters["data.roots."+result.Target+".domain"] = true
	}
	for _, key := range differingKeys(there, here) {
		if matters[key] || strings.HasPrefix(key, "model.") {
			return fmt.Errorf("%w: %s: %v there, %v here", shard.ErrDiffers, key, there[key], here[key])
		}
	}
	return nil
}

// deal counts the pictures that each share has been dealt, batch by batch. Every
// share's program deals alike.
type deal []int

// class deals a class's batches out in turn, and returns whose turn was first: the
// share's that has the fewest pictures so far.
func (d deal) class(pictures, batch int) (first int) {
	for share, count := range d {
		if count < d[first] {
			first = share
		}
	}
	for at := first; pictures > 0; at++ {
		d[at%len(d)] += min(batch, pictures)
		pictures -= batch
	}
	return first
}
