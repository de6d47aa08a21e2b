// Package verify reads every picture and mask of a dataset once and says what is
// wrong or odd with them.
package verify

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
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
	Findings      []data.Finding // the dataset's own, then those of its files by row
	Pictures      FileStats
	Masks         FileStats
	MaskThreshold uint8 // the least grey value that was taken as anomalous
	Quick         bool  // only headers were read: no mask's Values, and no findings from them
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
// one here; masks of normal pictures are never opened. A file that several rows
// name is read for the first of them. The error is ctx's.
func Run(ctx context.Context, d *data.Dataset, o Options) (*Report, error) {
	j := &job{Options: o, set: d, threshold: max(d.MaskThreshold, picture.NonZero), missing: d.Missing(), first: repeats(d)}
	for _, item := range d.Items {
		j.total += len(files(item))
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

// files are what is read of a row: its picture and, of an anomalous one, its mask.
func files(item data.Item) []string {
	list := []string{item.Path}
	if item.Anomalous {
		list = append(list, item.MaskFiles()...)
	}
	return list
}

// job is one run's work, which its goroutines share.
type job struct {
	Options
	set       *data.Dataset
	threshold uint8
	missing   map[string]bool // pictures that are known not to be there, by relative path
	first     map[string]int  // the files that several rows name: the first of these rows
	total     int             // files
	next      atomic.Int64    // the first row that nobody took

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
		j.check(t, row)
		j.advance(len(files(j.set.Items[row])))
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
func (j *job) check(t *tally, row int) {
	item := j.set.Items[row]
	find := func(code data.Code, path, detail string) {
		t.found = append(t.found, rowFinding{row, data.NewFinding(code, item.Class, j.set.Relative(path), detail)})
	}
	var of pictureFile // stays empty where there is no picture to compare with
	if !j.missing[j.set.Relative(item.Path)] {
		of = j.checkPicture(t, row, item.Path, find)
	}
	if item.Anomalous && item.Mask != "" {
		j.checkMask(t, row, item, of, find)
	}
}

// owns reports whether a file is read for this row.
func (j *job) owns(row int, path string) bool {
	first, repeated := j.first[path]
	return !repeated || first == row
}

// finder takes a finding about one of a row's files.
type finder func(code data.Code, path, detail string)

// pictureFile is what is known of a picture that a mask is compared with.
type pictureFile struct {
	stored  pixels.Size         // 0 x 0 where it cannot be read
	turn    picture.Orientation // how it is turned
	unknown bool                // it may be turned; only its header was read
}

func (j *job) checkPicture(t *tally, row int, path string, find finder) pictureFile {
	var info picture.Info
	var turn picture.Orientation
	var err error
	own := j.owns(row, path)
	header := j.Quick || !own
	if header {
		info, err = picture.Inspect(path, j.Decode) // where it is not its own, for its size
	} else {
		info, turn, err = picture.Check(path, j.Decode)
	}
	switch {
	case err != nil && own:
		find(data.Undecodable, path, reason(err, path))
		return pictureFile{}
	case err != nil:
		return pictureFile{} // it is the first row's
	}
	if own {
		t.pictures.add(info)
	}
	return pictureFile{stored: pixels.Size{Width: info.Width, Height: info.Height}, turn: turn, unknown: header && j.Decode.EXIF}
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
	r := &Report{Findings: slices.Clone(j.set.Findings), MaskThreshold: j.threshold, Quick: j.Quick}
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
