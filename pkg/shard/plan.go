// Package shard keeps what an evaluation has finished as files of a folder, class
// by class: of a whole evaluation, so that it can go on after it was stopped, or
// of one share of it, so that several machines can work on one evaluation.
//
// A folder holds plan.json, which says what is computed and under which
// conditions, and for each finished class KEY.json with its counts, metrics and
// scores. A share has no metrics of its own: KEY.pixels holds the scores of its
// pixels instead, for whoever joins the shares.
package shard

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/report"
)

// FormatVersion is the version of the files that this package writes.
const FormatVersion = 1

// ErrDiffers reports plans whose numbers do not belong together.
var ErrDiffers = errors.New("not the same evaluation")

// Share is one of several equal parts of an evaluation: every Of-th batch of each
// class. The zero value is an evaluation that is not shared out.
type Share struct {
	Index int `json:"index"` // from 1
	Of    int `json:"of"`
}

// ParseShare reads "2/4".
func ParseShare(text string) (Share, error) {
	index, of, both := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if !both || err != nil || err2 != nil || i < 1 || n < 1 || i > n || n > maxShares {
		return Share{}, fmt.Errorf("%q is no share of an evaluation: it must be I/N, as in 2/4, with I from 1 to N and N at most %d", text, maxShares)
	}
	return Share{i, n}, nil
}

const maxShares = 10000

func (s Share) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Folder is the name of the folder that a share is kept in.
func (s Share) Folder() string { return fmt.Sprintf("shard-%d-of-%d", s.Index, s.Of) }

// Has says whether the share has a batch, counted from the first one of share 0.
func (s Share) Has(batch int) bool { return s.IsWhole() || batch%s.Of == s.Index-1 }

// IsWhole says that nothing is shared out. The only share of one is none the less
// a share, with no metrics of its own.
func (s Share) IsWhole() bool { return s == Share{} }

// Plan is an evaluation before its numbers are known.
type Plan struct {
	Format          int               `json:"format"`
	Share           Share             `json:"share"`
	Batch           int               `json:"batch"` // pictures at once
	EXIFOrientation bool              `json:"exif_orientation"`
	MaxPixels       int64             `json:"max_pixels"`
	Gates           bool              `json:"gates"`      // whether the weights of the fusion gateway are kept
	Maps            string            `json:"maps"`       // how anomaly maps are saved beside the results, "" for not at all
	Jobs            []Job             `json:"jobs"`       // one a result of Evaluation
	Evaluation      report.Evaluation `json:"evaluation"` // its results have classes without numbers
}

// Job is what decides a result's numbers and does not stand in the result.
type Job struct {
	Model  string `json:"model"`  // hash of the model's options
	Domain string `json:"domain"` // of the target
	First  []int  `json:"first"`  // by class: the share, from 0, that has its first batch; the next has the next
}

// Key names a class of a result by all that its numbers depend on.
func (p *Plan) Key(result, class int) string {
	r, job := p.Evaluation.Results[result], p.Jobs[result]
	row := r.Classes[class]
	fields := []string{p.Share.String(), r.Target, r.ListHash, r.MaskPolicy, r.Checkpoint.Fingerprint, job.Model, job.Domain, row.Class, row.Prompt}
	if !p.Share.IsWhole() { // which of its batches are the share's
		fields = append(fields, strconv.Itoa(job.First[class]))
	}
	for _, c := range p.conditions() {
		fields = append(fields, c.value)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", fields)) // quoted, so that no two lists are one text
	return hex.EncodeToString(sum[:12])
}

// condition is one thing that all numbers of a plan depend on.
type condition struct{ name, value string }

func (p *Plan) conditions() []condition {
	e := p.Evaluation.Provenance
	device, _, _ := strings.Cut(e.Device, ":") // which of several equal ones does not matter
	return []condition{
		{"format of the folder", strconv.Itoa(p.Format)},
		{"acdclip's version", e.Version},
		{"libtorch's version", e.Libtorch},
		{"device", device},
		{"threads", strconv.Itoa(e.Threads)},
		{"precision", e.Precision},
		{"CLIP's fingerprint", e.CLIP.Fingerprint},
		{"model.image_size", strconv.Itoa(e.ImageSize)},
		{"--batch", strconv.Itoa(p.Batch)},
		{"data.exif_orientation", strconv.FormatBool(p.EXIFOrientation)},
		{"--gates", strconv.FormatBool(p.Gates)},
		{"data.max_pixels", strconv.FormatInt(p.MaxPixels, 10)},
	}
}

// sameConditions returns an error that wraps ErrDiffers and names what differs.
// Numbers made under other conditions have other bits.
func (p *Plan) sameConditions(other *Plan) error {
	return differences(p.conditions(), other.conditions())
}

// goesOn is sameConditions for an evaluation that goes on with the finished
// classes of old: their maps must lie there too.
func (p *Plan) goesOn(old *Plan) error {
	maps := func(p *Plan) condition { return condition{"--save-maps", cmp.Or(p.Maps, "none")} }
	if err := differences(append(p.conditions(), maps(p)), append(old.conditions(), maps(old))); err != nil {
		return err
	}
	for i, was := range old.Evaluation.Results {
		at := slices.IndexFunc(p.Evaluation.Results, func(r report.Result) bool {
			return r.Target == was.Target && r.Checkpoint.Fingerprint == was.Checkpoint.Fingerprint
		})
		if at < 0 {
			return fmt.Errorf("%w: it was begun with target %s and checkpoint %s, which are not asked for here", ErrDiffers, was.Target, was.Checkpoint.Path)
		}
		if what := difference(p.Evaluation.Results[at], was, p.Jobs[at], old.Jobs[i]); what != "" {
			return fmt.Errorf("%w: target %s: %s are not those that it was begun with", ErrDiffers, was.Target, what)
		}
	}
	return nil
}

func differences(here, there []condition) error {
	var differences []string
	for i, ours := range here {
		if theirs := there[i]; ours != theirs {
			differences = append(differences, fmt.Sprintf("%s: %s there, %s here", ours.name, theirs.value, ours.value))
		}
	}
	if differences == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrDiffers, strings.Join(differences, "; "))
}

// Joins returns an error that wraps ErrDiffers and names what differs, unless
// other is another share of the same evaluation.
func (p *Plan) Joins(other *Plan) error {
	if p.Share.Of != other.Share.Of {
		return fmt.Errorf("%w: one is share %s and one is share %s", ErrDiffers, other.Share, p.Share)
	}
	if err := p.sameConditions(other); err != nil {
		return err
	}
	ours, theirs := p.Evaluation.Results, other.Evaluation.Results
	if len(ours) != len(theirs) {
		return fmt.Errorf("%w: %d results there, %d here", ErrDiffers, len(theirs), len(ours))
	}
	for i, r := range ours {
		if what := difference(r, theirs[i], p.Jobs[i], other.Jobs[i]); what != "" {
			return fmt.Errorf("%w: target %s: %s differ", ErrDiffers, r.Target, what)
		}
	}
	return nil
}

// difference says in words what tells two results apart that should have one plan.
func difference(a, b report.Result, jobA, jobB Job) string {
	switch {
	case a.Target != b.Target:
		return "its name and " + b.Target
	case a.ListHash != b.ListHash:
		return "the pictures, labels or masks (list_hash)"
	case a.MaskPolicy != b.MaskPolicy:
		return "the ways in which masks are read"
	case a.Checkpoint.Fingerprint != b.Checkpoint.Fingerprint:
		return "the checkpoints' contents"
	case jobA.Model != jobB.Model:
		return "the options of the model"
	case jobA.Domain != jobB.Domain:
		return "the domains"
	}
	same := func(x, y report.Row) bool { return x.Class == y.Class && x.Prompt == y.Prompt }
	if !slices.EqualFunc(a.Classes, b.Classes, same) {
		return "the classes or their prompt names"
	}
	return ""
}

// check refuses a plan, read from a file, that the rest could not work with.
func (p *Plan) check() error {
	switch {
	case p.Format != FormatVersion:
		return fmt.Errorf("its format is %d, and this version reads %d", p.Format, FormatVersion)
	case !p.Share.IsWhole() && (p.Share.Index < 1 || p.Share.Of < p.Share.Index || p.Share.Of > maxShares):
		return fmt.Errorf("there is no share %s", p.Share)
	case len(p.Jobs) != len(p.Evaluation.Results):
		return fmt.Errorf("it has %d jobs and %d results", len(p.Jobs), len(p.Evaluation.Results))
	}
	for i, job := range p.Jobs {
		if classes := len(p.Evaluation.Results[i].Classes); len(job.First) != classes {
			return fmt.Errorf("it places %d of %d classes", len(job.First), classes)
		}
	}
	return nil
}
