// Package finished keeps what an evaluation has finished as files of a folder, class
// by class: of a whole evaluation, so that it can go on after it was stopped, or
// of one share of it, so that several machines can work on one evaluation.
//
// A folder holds plan.json, which says what is computed and under which
// conditions, and for each finished class KEY.json with its counts, metrics and
// scores. A share has no metrics of its own: KEY.pixels holds the scores of its
// pixels instead, for whoever joins the shares.
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

// Plan is an evaluation before its numbers are known. What they depend on stands
// in its results' and its own conditions.
type Plan struct {
	Format     int               `json:"format"`
	Share      Share             `json:"share"`
	First      [][]int           `json:"first"`      // by result and class: the share, from 0, that has its first batch; the next has the next
	Evaluation report.Evaluation `json:"evaluation"` // its results have classes without numbers
}

// Key names a class of a result by all that its numbers depend on.
func (p *Plan) Key(result, class int) string {
	r := p.Evaluation.Results[result]
	row := r.Classes[class]
	fields := []string{p.Share.String(), r.Target, row.Class, row.Prompt, r.Conditions.Text(), p.Evaluation.Conditions.Without(report.MapsCondition).Text()}
	if !p.Share.IsWhole() { // which of its batches are the share's
		fields = append(fields, strconv.Itoa(p.First[result][class]))
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", fields)) // quoted, so that no two lists are one text
	return hex.EncodeToString(sum[:12])
}

// goesOn returns an error that wraps ErrDiffers and names what differs, unless p
// can go on with the finished classes of old.
func (p *Plan) goesOn(old *Plan) error {
	if err := old.Evaluation.Conditions.Compare(p.Evaluation.Conditions); err != nil {
		return fmt.Errorf("%w: %w", ErrDiffers, err)
	}
	for _, was := range old.Evaluation.Results {
		at := slices.IndexFunc(p.Evaluation.Results, func(r report.Result) bool {
			return r.Target == was.Target && r.Checkpoint.Fingerprint == was.Checkpoint.Fingerprint
		})
		if at < 0 {
			return fmt.Errorf("%w: it was begun with target %s and checkpoint %s, which are not asked for here", ErrDiffers, was.Target, was.Checkpoint.Path)
		}
		if err := was.Conditions.Compare(p.Evaluation.Results[at].Conditions); err != nil {
			return fmt.Errorf("%w: target %s: %w", ErrDiffers, was.Target, err)
		}
	}
	return nil
}

// Joins returns an error that wraps ErrDiffers and names what differs, unless
// other is another share of the same evaluation.
func (p *Plan) Joins(other *Plan) error {
	if p.Share.Of != other.Share.Of {
		return fmt.Errorf("%w: one is share %s and one is share %s", ErrDiffers, other.Share, p.Share)
	}
	// Maps may be saved beside some shares and not beside others.
	joined := func(p *Plan) conditions.Record { return p.Evaluation.Conditions.Without(report.MapsCondition) }
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

// check refuses a plan, read from a file, that the rest could not work with.
func (p *Plan) check() error {
	switch {
	case p.Format != FormatVersion:
		return fmt.Errorf("its format is %d, and this version reads %d", p.Format, FormatVersion)
	case !p.Share.IsWhole() && (p.Share.Index < 1 || p.Share.Of < p.Share.Index || p.Share.Of > maxShares):
		return fmt.Errorf("there is no share %s", p.Share)
	case len(p.First) != len(p.Evaluation.Results):
		return fmt.Errorf("it places the classes of %d results, and has %d", len(p.First), len(p.Evaluation.Results))
	}
	for i, first := range p.First {
		if classes := len(p.Evaluation.Results[i].Classes); len(first) != classes {
			return fmt.Errorf("it places %d of %d classes", len(first), classes)
		}
	}
	return nil
}
