// Package verify reads every picture and mask of a dataset once and says what is
// wrong or odd with them.
package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"acdclip/pkg/data"
	"acdclip/pkg/data/picture"
)

// Options say how Run reads.
type Options struct {
	Quick     bool // read headers only: neither damage behind them nor what masks mark is found
	Workers   int  // goroutines that decode; 0: GOMAXPROCS
	Decode    picture.DecodeOptions
	ImageSize int                   // the side in pixels that masks are scaled to when a model sees them
	Progress  func(done, total int) // told after each row, in files; one call at a time; may be nil
}

// Report is what Run found.
type Report struct {
	Findings []data.Finding // the dataset's own, then those of its files by row
	Pictures FileStats
	Masks    FileStats
}

// FileStats sums up the files that could be read.
type FileStats struct {
	Files    int
	Modes    map[string]int // such as "PNG RGB": how many files
	Smallest [2]int         // the least width and the least height, in pixels as stored
	Largest  [2]int
	Values   [256]int64 // of masks: how many pixels have each grey value
}

// Run reads the files of d. The result does not depend on the number of workers.
// A listed picture that is not there is a finding of d already, and not another
// one here; masks of normal pictures are never opened. The error is ctx's.
func Run(ctx context.Context, d *data.Dataset, o Options) (*Report, error) {
	j := &job{Options: o, set: d, missing: map[string]bool{}}
	for _, f := range d.Findings {
		if f.Code == data.MissingImage {
			j.missing[f.Path] = true
		}
	}
	for _, item := range d.Items {
		j.total += filesOf(item)
	}
	workers := cmp.Or(max(o.Workers, 0), runtime.GOMAXPROCS(0))
	tallies := make([]tally, workers)
	var running sync.WaitGroup
	for i := range tallies {
		running.Go(func() { j.work(ctx, &tallies[i]) })
	}
	running.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return j.report(tallies), nil
}

func filesOf(item data.Item) int {
	if item.Anomalous && item.Mask != "" {
		return 2
	}
	return 1
}

// job is one run's work, which its goroutines share.
type job struct {
	Options
	set     *data.Dataset
	missing map[string]bool // pictures that are known not to be there, by relative path
	total   int             // files
	next    atomic.Int64    // the first row that nobody took

	mutex sync.Mutex
	done  int // files
}

// tally is what one goroutine found.
type tally struct {
	found           []rowFinding
	pictures, masks FileStats
}

// rowFinding is a finding and the row that it belongs to.
type rowFinding struct {
	row int
	data.Finding
}

func (j *job) work(ctx context.Context, t *tally) {
	for ctx.Err() == nil {
		row := int(j.next.Add(1)) - 1
		if row >= len(j.set.Items) {
			return
		}
		item := j.set.Items[row]
		for _, finding := range j.check(t, item) {
			t.found = append(t.found, rowFinding{row, finding})
		}
		j.advance(filesOf(item))
	}
}

func (j *job) advance(files int) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	j.done += files
	if j.Progress != nil {
		j.Progress(j.done, j.total)
	}
}

// check reads one row's files.
func (j *job) check(t *tally, item data.Item) []data.Finding {
	if j.missing[j.set.Relative(item.Path)] {
		return nil
	}
	var found []data.Finding
	find := func(code data.Code, path, detail string) {
		found = append(found, data.NewFinding(code, item.Class, j.set.Relative(path), detail))
	}
	info, err := j.readPicture(item.Path)
	if err != nil {
		find(data.Undecodable, item.Path, reason(err, item.Path))
	} else {
		t.pictures.add(info)
	}
	if filesOf(item) == 1 {
		return found
	}
	mask, maskInfo, maskErr := j.readMask(item.Mask)
	if maskErr != nil {
		find(data.Undecodable, item.Mask, reason(maskErr, item.Mask))
		return found
	}
	t.masks.add(maskInfo)
	if err == nil && (info.Width != maskInfo.Width || info.Height != maskInfo.Height) {
		find(data.MaskSizeMismatch, item.Mask, sizesDiffer(info, maskInfo))
	}
	if mask != nil {
		j.checkMask(&t.masks, mask, maskInfo, func(code data.Code, detail string) { find(code, item.Mask, detail) })
	}
	return found
}

func (j *job) readPicture(path string) (picture.Info, error) {
	if j.Quick {
		return picture.Inspect(path, j.Decode)
	}
	return picture.Check(path, j.Decode)
}

// readMask gives the mask's grey values; nil where only the header was read.
func (j *job) readMask(path string) (*picture.Grey, picture.Info, error) {
	if j.Quick {
		info, err := picture.Inspect(path, j.Decode)
		return nil, info, err
	}
	return picture.DecodeMask(path, j.set.MaskThreshold, j.Decode, picture.Upright)
}

// sizesDiffer says how a mask's size differs from its picture's.
func sizesDiffer(of, mask picture.Info) string {
	text := fmt.Sprintf("%d x %d pixels, its picture has %d x %d", mask.Width, mask.Height, of.Width, of.Height)
	const tolerance = 0.02
	ratio := float64(mask.Width) * float64(of.Height) / (float64(mask.Height) * float64(of.Width))
	if ratio > 1+tolerance || ratio < 1/(1+tolerance) {
		text += "; the aspect ratios differ"
	}
	return text
}

// reason is an error without the path that the finding names.
func reason(err error, path string) string {
	var place *fs.PathError
	if errors.As(err, &place) && place.Path == path {
		return place.Err.Error()
	}
	text := err.Error()
	if prefix := path + ": "; len(text) > len(prefix) && text[:len(prefix)] == prefix {
		return text[len(prefix):]
	}
	return text
}

// report joins what the goroutines found, in the order of the rows.
func (j *job) report(tallies []tally) *Report {
	r := &Report{Findings: slices.Clone(j.set.Findings)}
	r.Pictures.Modes, r.Masks.Modes = map[string]int{}, map[string]int{}
	var found []rowFinding
	for i := range tallies {
		found = append(found, tallies[i].found...)
		r.Pictures.merge(&tallies[i].pictures)
		r.Masks.merge(&tallies[i].masks)
	}
	slices.SortStableFunc(found, func(a, b rowFinding) int { return a.row - b.row })
	for _, f := range found {
		r.Findings = append(r.Findings, f.Finding)
	}
	return r
}
