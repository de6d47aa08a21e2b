// Package verify reads every picture and mask of a dataset once and reports problems
// as findings.
package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"acdclip/pkg/data"
	"acdclip/pkg/data/pixels"
	"acdclip/pkg/data/pixels/picture"
)

// Options are the options of Run.
type Options struct {
	Quick     bool // read only headers: does not detect damaged pixel data, nor check the content of masks
	Workers   int  // number of goroutines that decode; 0: GOMAXPROCS
	Decode    picture.DecodeOptions
	ImageSize int                   // side in pixels to which a model scales masks
	Progress  func(done, total int) // called after each row with numbers of files, never concurrently; may be nil
}

// Report is the result of Run.
type Report struct {
	Findings      []data.Finding // the dataset's findings, then those of its files in row order
	Pictures      FileStats
	Masks         FileStats
	MaskThreshold uint8 // the smallest grey value that counts as anomalous
	Quick         bool  // only headers were read: masks have no Values, and no findings from them
}

// FileStats summarises the readable files.
type FileStats struct {
	Files    int
	Modes    map[string]int // number of files per mode, such as "PNG RGB"
	Smallest [2]int         // smallest width and smallest height, in stored pixels
	Largest  [2]int
	Values   [256]int64 // masks only: number of pixels with each grey value
}

// Run reads the files of d. The result does not depend on the number of workers. A
// missing listed picture is already a finding of d, and Run does not report it again.
// Run never opens masks of normal pictures, and reads a file that several rows name
// only for the first of them. The only error is ctx.Err().
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

// files returns the files to read for a row: its picture and, if it is anomalous, its mask.
func files(item data.Item) []string {
	list := []string{item.Path}
	if item.Anomalous {
		list = append(list, item.MaskFiles()...)
	}
	return list
}

// job is the state of one Run, shared by its goroutines.
type job struct {
	Options
	set       *data.Dataset
	threshold uint8
	missing   map[string]bool // relative paths of pictures known to be missing
	first     map[string]int  // file that several rows name, to the first of these rows
	total     int             // number of files
	next      atomic.Int64    // the next row to check

	mutex sync.Mutex
	done  int // number of files
}

// tally is the result of one goroutine.
type tally struct {
	found           []rowFinding
	pictures, masks FileStats
}

// rowFinding is a finding with its row.
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

// check reads the files of one row.
func (j *job) check(t *tally, row int) {
	item := j.set.Items[row]
	add := func(code data.Code, path, detail string) {
		t.found = append(t.found, rowFinding{row, data.NewFinding(code, item.Class, j.set.Relative(path), detail)})
	}
	var of pictureFile // stays empty if there is no picture to compare with
	if !j.missing[j.set.Relative(item.Path)] {
		of = j.checkPicture(t, row, item.Path, add)
	}
	if item.Anomalous && item.Mask != "" {
		j.checkMask(t, row, item, of, add)
	}
}

// owns reports whether this row reads the file, as the first row that names it.
func (j *job) owns(row int, path string) bool {
	first, repeated := j.first[path]
	return !repeated || first == row
}

// findingAdder adds a finding about one of a row's files.
type findingAdder func(code data.Code, path, detail string)

// pictureFile describes the picture that a mask is compared with.
type pictureFile struct {
	stored  pixels.Size         // 0 x 0 if it cannot be read
	turn    picture.Orientation // its rotation
	unknown bool                // the rotation is unknown, because only the header was read
}

func (j *job) checkPicture(t *tally, row int, path string, add findingAdder) pictureFile {
	var info picture.Info
	var reading picture.Reading
	var err error
	own := j.owns(row, path)
	header := j.Quick || !own
	if header {
		info, err = picture.Inspect(path, j.Decode) // an earlier row reads it; only its size is needed here
	} else {
		info, reading, err = picture.Check(path, j.Decode)
	}
	switch {
	case err != nil && own:
		add(data.Undecodable, path, reason(err, path))
		return pictureFile{}
	case err != nil:
		return pictureFile{} // the first row with this file checks it
	}
	if own {
		t.pictures.add(info)
	}
	if reading.Dim() && j.Decode.Bits == 0 {
		add(data.DimPicture, path, fmt.Sprintf("the largest value is %d of %d", reading.Largest, math.MaxUint16))
	}
	return pictureFile{stored: pixels.Size{Width: info.Width, Height: info.Height}, turn: reading.Turn, unknown: header && j.Decode.EXIF}
}

// reason returns an error's text without the path, which the finding contains.
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

// report merges the results of the goroutines in row order.
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
