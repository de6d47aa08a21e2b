package evaluation

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"acdclip/pkg/checkpoint"
	"acdclip/pkg/clip/activation"
	"acdclip/pkg/conditions"
	"acdclip/pkg/config"
	"acdclip/pkg/config/section"
	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels/picture"
	"acdclip/pkg/digest"
	"acdclip/pkg/evaluation/finished"
	"acdclip/pkg/paper"
	"acdclip/pkg/report"
	"acdclip/pkg/trained"
)

// makePlan makes the plan, without the machine.
func (e *Evaluation) makePlan() error {
	first := e.Jobs[0].Checkpoint
	c := first.Loaded.Config
	text, err := json.Marshal(first.Configuration())
	if err != nil {
		return fmt.Errorf("describing the configuration: %w", err)
	}
	e.plan = finished.Plan{
		Share: e.Share,
		Evaluation: report.Evaluation{
			Provenance: report.Provenance{
				Version: e.Version, Precision: string(c.Precision.Format()), Seed: c.Seed, ImageSize: first.Options.Input().Size, Config: text,
			},
			Conditions: conditions.Record{
				conditions.Of(conditions.Numbers, "acdclip's version", e.Version),
				conditions.Of(conditions.Bits, "--batch", e.Batch),
				conditions.Of(conditions.Numbers, "data.exif_orientation", c.Data.EXIFOrientation.Applies()),
				conditions.Of(conditions.Numbers, "data.max_pixels", c.Data.MaxPixels),
				conditions.Of(conditions.Extras, report.GatesCondition, slices.Contains(e.Extras, report.Gates)),
				conditions.Of(conditions.Extras, report.RawCondition, e.Raw),
				conditions.Of(conditions.Extras, report.FilesCondition, e.FilesAre),
			},
		},
	}
	e.plan.Evaluation.Conditions = append(e.plan.Evaluation.Conditions, conditions.Unusual(conditions.Numbers, "data.depth", c.Data.Depth.Bits(), 0)...)
	if !e.compares() { // else each result has its own
		e.plan.Evaluation.Conditions = append(e.plan.Evaluation.Conditions, conditions.Of(conditions.Numbers, precisionCondition, c.Precision.Format()))
	}
	for _, name := range e.Extras {
		if name != report.Gates {
			e.plan.Evaluation.Conditions = append(e.plan.Evaluation.Conditions, conditions.Of(conditions.Extras, "the extra output "+name, true))
		}
	}
	dealt := make(deal, max(1, e.Share.Of))
	for _, job := range e.Jobs {
		result, err := job.result(e.Load.BilinearMasks)
		if err != nil {
			return err
		}
		if size := job.Checkpoint.Options.Input().Size; size != first.Options.Input().Size {
			result.ImageSize = size
		}
		if e.compares() {
			if result.CLIP, err = e.ownCLIP(job.Checkpoint, &result); err != nil {
				return err
			}
		}
		var turns []int
		for _, count := range job.Set.Counts() {
			turns = append(turns, dealt.class(count.Normal+count.Anomalous, e.Batch))
		}
		e.plan.First = append(e.plan.First, turns)
		e.plan.Evaluation.Results = append(e.plan.Evaluation.Results, result)
		e.finished = append(e.finished, make([]*finished.Class, len(job.Set.Classes)))
	}
	e.left = make([][]Batches, len(e.Jobs))
	return nil
}

// compares reports whether models with names are compared, each with its own CLIP.
func (e *Evaluation) compares() bool { return e.Jobs[0].Checkpoint.Source.Model != "" }

// ownCLIP identifies a model's CLIP and adds it to the result's conditions.
func (e *Evaluation) ownCLIP(m *trained.Model, r *report.Result) (*report.Source, error) {
	c := m.Loaded.Config
	key := [2]any{c.Clip, c.ClipHeads}
	clip, known := e.clips[key]
	if !known {
		var err error
		if clip, err = trained.IdentifyCLIP(c); err != nil {
			return nil, err
		}
		if e.clips == nil {
			e.clips = map[any]trained.CLIP{}
		}
		e.clips[key] = clip
	}
	r.Conditions = append(r.Conditions,
		conditions.Of(conditions.Numbers, trained.CLIPCondition, clip.Fingerprint),
		conditions.Of(conditions.Numbers, activationCondition, clip.Activation),
		conditions.Of(conditions.Numbers, precisionCondition, c.Precision.Format()),
	)
	return &report.Source{Path: report.EscapeName(c.Clip), Fingerprint: clip.Fingerprint}, nil
}

// activationCondition is the name of a condition that the CLIP's fingerprint does not cover:
// the model's activation may be "auto".
const activationCondition = "CLIP's activation"

// precisionCondition is the name of the condition of the number format of CLIP's matrices.
const precisionCondition = "precision"

// result returns the job's result without numbers. Its names are escaped, so that they do
// not change when they are written to a file and read back. bilinearMasks is that of the
// LoadOptions.
func (j Job) result(bilinearMasks bool) (report.Result, error) {
	set := j.Set
	r := report.Result{
		Target: report.EscapeName(set.Name), Domain: string(set.Domain), ListHash: set.ListHash(), MaskPolicy: maskPolicy(set.MaskThreshold, bilinearMasks),
		Checkpoint: j.Checkpoint.Source, Leak: j.Leak, Classes: Rows(set, j.Checkpoint.Options),
	}
	r.Checkpoint.Path, r.Checkpoint.Model = report.EscapeName(r.Checkpoint.Path), report.EscapeName(r.Checkpoint.Model)
	if together, ok := j.Checkpoint.Options.(section.SetScorer); ok {
		r.ScoreRule = string(together.ScoreRule())
	}
	if set.Benchmark != nil {
		r.Benchmark, r.Deviations = set.Benchmark.Key, j.deviations()
	}
	names, err := json.Marshal(r.Classes)
	if err != nil {
		return r, fmt.Errorf("describing the classes of %s: %w", set.Name, err)
	}
	options, err := conditions.Flattened(conditions.Numbers, "model.", j.Checkpoint.Options)
	if err != nil {
		return r, fmt.Errorf("describing the model of %s: %w", j.Checkpoint.Path, err)
	}
	r.Conditions = append(options,
		conditions.Of(conditions.Numbers, "the list of pictures, labels and masks (list_hash)", r.ListHash),
		conditions.Of(conditions.Numbers, "the contents of pictures or masks", j.Contents),
		conditions.Of(conditions.Numbers, "the classes or their prompt names", hashed(string(names))),
		conditions.Of(conditions.Numbers, "the mask threshold", set.MaskThreshold),
		conditions.Of(conditions.Numbers, "data.mask_resize", maskResize(bilinearMasks)),
		conditions.Of(conditions.Numbers, "domain", r.Domain), // selects the score's weights and the smoothing
		conditions.Of(conditions.Numbers, "the checkpoint's content", r.Checkpoint.Fingerprint),
	)
	return r, nil
}

// Rows returns a row for each class of a dataset, without numbers.
func Rows(set *data.Dataset, m section.Model) []report.Row {
	list := make([]report.Row, len(set.Classes))
	for i, class := range set.Classes {
		list[i] = report.Row{Class: report.EscapeName(class.Name), Prompt: report.EscapeName(set.PromptOf(m, class))}
	}
	return list
}

// deviations lists why a benchmark's result is not comparable with published results.
func (j Job) deviations() []string {
	var list []string
	if all, chosen := len(j.Set.Whole().Items), len(j.Set.Items); chosen < all {
		list = append(list, fmt.Sprintf("only %d of its %d pictures were used", chosen, all))
	}
	if slices.ContainsFunc(j.Set.Findings, func(f data.Finding) bool { return f.Code == data.CountMismatch || f.Code == data.KnownSubset }) {
		list = append(list, "the counts differ from the public list")
	}
	sizes := paper.ImageSizes(j.Checkpoint.Metadata.Method)
	if size := j.Checkpoint.Options.Input().Size; sizes != nil && !slices.Contains(sizes, size) {
		list = append(list, fmt.Sprintf("scored at %d pixels", size))
	}
	if j.Set.Benchmark.Uncounted {
		list = append(list, "the list of pictures that the paper used is not public")
	}
	usual := paper.Auxiliary(j.Set.Benchmark.Key)
	if auxiliary := j.Checkpoint.Metadata.Auxiliary; auxiliary != checkpoint.Unknown && auxiliary != trained.NoAuxiliary && !data.SameDataset(auxiliary, usual) {
		list = append(list, fmt.Sprintf("trained on %s instead of %s", auxiliary, usual))
	}
	return list
}

func maskResize(bilinear bool) config.MaskResize {
	if bilinear {
		return config.MasksBilinear
	}
	return config.MasksNearest
}

// maskPolicy describes how masks are converted to pixel labels.
func maskPolicy(threshold uint8, bilinear bool) string {
	policy := "nonzero"
	if threshold > picture.NonZero {
		policy = fmt.Sprintf("at least %d", threshold)
	}
	if bilinear {
		return policy + ", then Pillow's bilinear resize to image_size, at least half"
	}
	return policy + ", after Pillow's nearest resize to image_size"
}

// CheckFinished checks that finished results match o: the same targets and pictures,
// scored with the same CLIP, checkpoints and options, and with the requested extra outputs
// and maps. Otherwise the error wraps finished.ErrDiffers and names the difference. The
// machine may differ.
func CheckFinished(found *report.Evaluation, o Options) error {
	e := Evaluation{Options: o}
	if err := e.makePlan(); err != nil {
		return err
	}
	asked := &e.plan.Evaluation
	same := slices.EqualFunc(found.Results, asked.Results, func(a, b report.Result) bool {
		return a.Target == b.Target && a.Checkpoint.Model == b.Checkpoint.Model && a.Checkpoint.Fingerprint == b.Checkpoint.Fingerprint
	})
	if !same {
		return fmt.Errorf("%w: the targets or checkpoints differ", finished.ErrDiffers)
	}
	if !e.compares() { // last, because it reads the whole CLIP
		c := o.Jobs[0].Checkpoint.Loaded.Config
		clip, err := trained.IdentifyCLIP(c)
		if err != nil {
			return err
		}
		e.setCLIP(report.Source{Path: c.Clip, Fingerprint: clip.Fingerprint}, clip.Activation)
	}
	if err := found.Conditions.Only(conditions.Numbers).Compare(asked.Conditions.Only(conditions.Numbers)); err != nil {
		return fmt.Errorf("%w: %w", finished.ErrDiffers, err)
	}
	for i, r := range found.Results {
		if err := r.Conditions.Compare(asked.Results[i].Conditions); err != nil {
			return fmt.Errorf("%w: target %s: %w", finished.ErrDiffers, r.Target, err)
		}
	}
	wanted := conditions.Record{}
	for _, extra := range asked.Conditions.Only(conditions.Extras) {
		if extra.Value != "" && extra.Value != "false" {
			wanted = append(wanted, extra)
		}
	}
	if err := found.Conditions.Named(wanted).Compare(wanted); err != nil {
		return fmt.Errorf("%w: %w", finished.ErrDiffers, err)
	}
	return nil
}

// setCLIP records the CLIP in the plan.
func (e *Evaluation) setCLIP(source report.Source, own activation.Activation) {
	p := &e.plan.Evaluation
	p.Provenance.CLIP = report.Source{Path: report.EscapeName(source.Path), Fingerprint: source.Fingerprint}
	if e.compares() {
		return
	}
	p.Conditions = append(p.Conditions,
		conditions.Of(conditions.Numbers, trained.CLIPCondition, source.Fingerprint),
		conditions.Of(conditions.Numbers, activationCondition, own),
	)
}

// deal counts the pictures assigned to each share so far. The programs of all shares
// compute the same assignment.
type deal []int

// class assigns the batches of a class to the shares in turn. It starts with the share
// that has the fewest pictures so far, and returns that share.
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

// hashed returns the hash of a text that is too long to record.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return digest.SHA256(sum[:])
}
