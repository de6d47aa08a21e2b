// Package synth draws small datasets of surfaces and objects with defects and
// exact masks, laid out as MVTec-AD is. They need no download and no licence,
// and serve to try the program out and to test it; they are no benchmark.
package synth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"
)

// Options says what Write draws. The zero value of a field is its default;
// a count below zero is none.
type Options struct {
	Set         string   // Textures, Objects or All; "" is All
	Classes     []string // some of the set's classes; none: all of them
	Seed        uint64
	Normal      int                   // normal test pictures a class; default 12
	Anomalous   int                   // anomalous test pictures a class, over its defects in turn; default 12
	TrainNormal int                   // normal training pictures a class, which this project does not use; default none
	Size        int                   // the side of the pictures in pixels, MinSize to MaxSize; default 256
	Workers     int                   // pictures drawn at once; default one a processor; it changes no byte
	Progress    func(done, total int) // called after each picture, one call at a time
}

// The bounds of Options.Size, and of each count of pictures.
const (
	MinSize  = 64
	MaxSize  = 2048
	MaxCount = 100_000
)

// Summary says what was written.
type Summary struct {
	Classes                        []string
	Normal, Anomalous, TrainNormal int // in all; each anomalous picture has a mask
}

// ErrNotEmpty is a folder that holds something already.
var ErrNotEmpty = errors.New("the folder is not empty")

// Write draws a dataset into the folder dir, which must be missing or empty:
//
//	<class>/train/good/000.png           where TrainNormal asks for it
//	<class>/test/good/000.png            8-bit RGB
//	<class>/test/<defect>/000.png
//	<class>/ground_truth/<defect>/000_mask.png   8-bit gray: 255 where the defect was drawn, else 0
//
// A picture follows from the seed, its class, its folder and its number alone:
// the same options give the same bytes on one kind of processor, and a
// larger count only adds pictures.
// Each file appears whole. After an error, or when ctx ends, what was written is removed.
func Write(ctx context.Context, dir string, o Options) (Summary, error) {
	o, list, err := o.resolve()
	if err != nil {
		return Summary{}, err
	}
	missing, err := requireEmpty(dir)
	if err != nil {
		return Summary{}, fmt.Errorf("%s: %w", dir, err)
	}
	jobs, summary := plan(o, list)
	if err := draw(ctx, dir, o, jobs); err != nil {
		return Summary{}, errors.Join(err, remove(dir, list, missing))
	}
	return summary, nil
}

// remove takes away what was written, the folder too where it was not there before.
func remove(dir string, list []class, whole bool) error {
	if whole {
		return os.RemoveAll(dir)
	}
	var failed error
	for _, c := range list {
		failed = errors.Join(failed, os.RemoveAll(filepath.Join(dir, c.name)))
	}
	return failed
}

// resolve fills in the defaults and checks the bounds.
func (o Options) resolve() (Options, []class, error) {
	if o.Set == "" {
		o.Set = All
	}
	counts := []struct {
		name     string
		value    *int
		standard int
	}{{"normal", &o.Normal, 12}, {"anomalous", &o.Anomalous, 12}, {"train normal", &o.TrainNormal, 0}}
	for _, count := range counts {
		switch {
		case *count.value == 0:
			*count.value = count.standard
		case *count.value < 0:
			*count.value = 0
		case *count.value > MaxCount:
			return o, nil, fmt.Errorf("%d %s pictures a class: at most %d", *count.value, count.name, MaxCount)
		}
	}
	if o.Size == 0 {
		o.Size = 256
	}
	if o.Size < MinSize || o.Size > MaxSize {
		return o, nil, fmt.Errorf("a size of %d: it must be %d to %d", o.Size, MinSize, MaxSize)
	}
	if o.Normal+o.Anomalous+o.TrainNormal == 0 {
		return o, nil, errors.New("no picture is asked for")
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	list, err := chosen(o.Set, o.Classes)
	return o, list, err
}

// requireEmpty demands that a folder is missing or empty, and says which.
func requireEmpty(dir string) (missing bool, err error) {
	folder, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer folder.Close()
	switch _, err := folder.Readdirnames(1); {
	case errors.Is(err, io.EOF):
		return false, nil
	case err != nil:
		return false, err
	}
	return false, ErrNotEmpty
}

// job is one picture to be drawn.
type job struct {
	class  class
	split  string // "test" or "train"
	defect string // "" for a normal picture
	number int    // inside its folder
}

// folder is the job's folder below its class's split.
func (j job) folder() string {
	if j.defect == "" {
		return "good"
	}
	return j.defect
}

func plan(o Options, list []class) ([]job, Summary) {
	var jobs []job
	var summary Summary
	for _, c := range list {
		summary.Classes = append(summary.Classes, c.name)
		for i := range o.TrainNormal {
			jobs = append(jobs, job{c, "train", "", i})
		}
		for i := range o.Normal {
			jobs = append(jobs, job{c, "test", "", i})
		}
		for i := range o.Anomalous {
			kinds := len(c.defects)
			jobs = append(jobs, job{c, "test", c.defects[i%kinds], i / kinds})
		}
	}
	summary.Normal, summary.Anomalous, summary.TrainNormal = len(list)*o.Normal, len(list)*o.Anomalous, len(list)*o.TrainNormal
	return jobs, summary
}

// draw draws all pictures, several at once.
func draw(ctx context.Context, dir string, o Options, jobs []job) error {
	if err := makeFolders(dir, jobs); err != nil {
		return err
	}
	group, drawing := errgroup.WithContext(ctx)
	group.SetLimit(o.Workers)
	var lock sync.Mutex
	done := 0
	for _, j := range jobs {
		if drawing.Err() != nil {
			break
		}
		group.Go(func() error {
			if err := drawing.Err(); err != nil {
				return err
			}
			if err := j.write(dir, o); err != nil {
				return fmt.Errorf("%s %s %03d: %w", j.class.name, j.folder(), j.number, err)
			}
			if o.Progress != nil {
				lock.Lock()
				defer lock.Unlock()
				done++
				o.Progress(done, len(jobs))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

func makeFolders(dir string, jobs []job) error {
	made := map[string]bool{}
	for _, j := range jobs {
		for _, path := range []string{j.picture(dir), j.mask(dir)} {
			folder := filepath.Dir(path)
			if path == "" || made[folder] {
				continue
			}
			if err := os.MkdirAll(folder, 0o755); err != nil {
				return err
			}
			made[folder] = true
		}
	}
	return nil
}

// picture is the path of the job's picture.
func (j job) picture(dir string) string {
	return filepath.Join(dir, j.class.name, j.split, j.folder(), fmt.Sprintf("%03d.png", j.number))
}

// mask is the path of the job's mask; "" for a normal picture.
func (j job) mask(dir string) string {
	if j.defect == "" {
		return ""
	}
	return filepath.Join(dir, j.class.name, "ground_truth", j.defect, fmt.Sprintf("%03d_mask.png", j.number))
}

func (j job) write(dir string, o Options) error {
	name := picture{seed: o.Seed, class: j.class.name, split: j.split + "/" + j.folder(), index: j.number}
	drawing, mask, err := render(name, j.class, j.defect, o.Size)
	if err != nil {
		return err
	}
	if mask != nil {
		gray := &image.Gray{Pix: mask, Stride: o.Size, Rect: drawing.Rect}
		if err := writePNG(j.mask(dir), gray); err != nil {
			return err
		}
	}
	return writePNG(j.picture(dir), drawing)
}

// writePNG writes a picture that appears whole or not at all.
func writePNG(path string, m image.Image) error {
	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed} // a noisy picture hardly shrinks by trying harder
	if err := encoder.Encode(&file, m); err != nil {
		return err
	}
	return renameio.WriteFile(path, file.Bytes(), 0o644)
}
