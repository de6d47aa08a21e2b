// Package finished stores the finished classes of an evaluation in a folder. The folder of
// a whole evaluation lets it resume after a stop. Folders of shares let several machines
// work on one evaluation.
//
// A folder holds plan.json, which describes the evaluation and its conditions, and for
// each finished class KEY.json with its counts, metrics and scores. A share has no
// metrics: instead KEY.pixels holds the pixel scores, from which merging computes them.
package finished

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"acdclip/pkg/conditions"
	"acdclip/pkg/report"
)

// FormatVersion is the version of the files that this package writes.
const FormatVersion = 2

// ErrDiffers reports plans of different evaluations.
var ErrDiffers = errors.New("not the same evaluation")

// Share is one of several equal parts of an evaluation: every Of-th batch of each
// class. The zero value is a whole evaluation.
type Share struct {
	Index int `json:"index"` // from 1
	Of    int `json:"of"`
}

// ParseShare parses text such as "2/4".
func ParseShare(text string) (Share, error) {
	index, of, both := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if !both || err != nil || err2 != nil || i < 1 || n < 1 || i > n || n > maxShares {
		return Share{}, fmt.Errorf("%q is not a share of an evaluation: expected I/N, as in 2/4, with I from 1 to N and N at most %d", text, maxShares)
	}
	return Share{i, n}, nil
}

const maxShares = 10000

func (s Share) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

// Folder returns the name of the share's folder.
func (s Share) Folder() string { return fmt.Sprintf("shard-%d-of-%d", s.Index, s.Of) }

// Has reports whether a batch belongs to the share. Batches are numbered so that batch 0 belongs to share 1.
func (s Share) Has(batch int) bool { return s.IsWhole() || batch%s.Of == s.Index-1 }

// IsWhole reports whether s is a whole evaluation. Share 1/1 is not: it is a share, which
// has no metrics.
func (s Share) IsWhole() bool { return s == Share{} }

// Plan describes an evaluation before its numbers are known. Conditions, of the evaluation
// and of each result, record what the numbers depend on.
type Plan struct {
	Format     int               `json:"format"`
	Share      Share             `json:"share"`
	First      [][]int           `json:"first"`      // by result and class: the share, from 0, of the first batch; further batches go to the next shares in turn
	Evaluation report.Evaluation `json:"evaluation"` // with results whose classes have no numbers
}

// Key returns the key of a class of a result: a hash of everything that its numbers depend on.
func (p *Plan) Key(result, class int) string {
	r := p.Evaluation.Results[result]
	row := r.Classes[class]
	fields := []string{p.Share.String(), r.Target, row.Class, row.Prompt, r.Conditions.Text(), p.Evaluation.Conditions.Without(report.FilesCondition).Text()}
	if !p.Share.IsWhole() { // decides which batches belong to the share
		fields = append(fields, strconv.Itoa(p.First[result][class]))
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", fields)) // quoted, so that different lists give different texts
	return hex.EncodeToString(sum[:12])
}

// goesOn checks that p can reuse the finished classes of old. Otherwise the error wraps
// ErrDiffers and names the difference.
func (p *Plan) goesOn(old *Plan) error {
	if err := old.Evaluation.Conditions.Compare(p.Evaluation.Conditions); err != nil {
		return fmt.Errorf("%w: %w", ErrDiffers, err)
	}
	for _, was := range old.Evaluation.Results {
		at := slices.IndexFunc(p.Evaluation.Results, func(r report.Result) bool {
			return r.Target == was.Target && r.Checkpoint.Model == was.Checkpoint.Model && r.Checkpoint.Fingerprint == was.Checkpoint.Fingerprint
		})
		if at < 0 {
			return fmt.Errorf("%w: it was started with target %s and checkpoint %s, which are missing here", ErrDiffers, was.Target, was.Checkpoint.Path)
		}
		if err := was.Conditions.Compare(p.Evaluation.Results[at].Conditions); err != nil {
			return fmt.Errorf("%w: target %s: %w", ErrDiffers, was.Target, err)
		}
	}
	return nil
}

// Joins checks that other is another share of the same evaluation. Otherwise the error
// wraps ErrDiffers and names the difference.
func (p *Plan) Joins(other *Plan) error {
	if p.Share.Of != other.Share.Of {
		return fmt.Errorf("%w: one is share %s and one is share %s", ErrDiffers, other.Share, p.Share)
	}
	// Some shares may save maps and others not.
	joined := func(p *Plan) conditions.Record { return p.Evaluation.Conditions.Without(report.FilesCondition) }
	if err := joined(other).Compare(joined(p)); err != nil {
		return fmt.Errorf("%w: %w", ErrDiffers, err)
	}
	ours, theirs := p.Evaluation.Results, other.Evaluation.Results
	if len(ours) != len(theirs) {
		return fmt.Errorf("%w: %d results there, %d here", ErrDiffers, len(theirs), len(ours))
	}
	for i, r := range ours {
		if r.Target != theirs[i].Target {
			return fmt.Errorf("%w: target %s there, %s here", ErrDiffers, theirs[i].Target, r.Target)
		}
		if err := theirs[i].Conditions.Compare(r.Conditions); err != nil {
			return fmt.Errorf("%w: target %s: %w", ErrDiffers, r.Target, err)
		}
	}
	return nil
}

// check checks a plan that was read from a file.
func (p *Plan) check() error {
	switch {
	case p.Format != FormatVersion:
		return fmt.Errorf("its format version is %d, expected %d", p.Format, FormatVersion)
	case !p.Share.IsWhole() && (p.Share.Index < 1 || p.Share.Of < p.Share.Index || p.Share.Of > maxShares):
		return fmt.Errorf("share %s is invalid", p.Share)
	case len(p.First) != len(p.Evaluation.Results):
		return fmt.Errorf("it assigns batches for %d results, expected %d", len(p.First), len(p.Evaluation.Results))
	}
	for i, first := range p.First {
		if classes := len(p.Evaluation.Results[i].Classes); len(first) != classes {
			return fmt.Errorf("it assigns batches for %d classes, expected %d", len(first), classes)
		}
	}
	return nil
}
