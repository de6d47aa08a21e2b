// Package synth draws small datasets of surfaces and objects with defects and
// exact masks, in MVTec-AD's folders or, under the classes' names, in those of
// any benchmark. They need no download and no licence, and serve to try the
// program out and to test it; they are no benchmark.
package synth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// Options says what Write draws. The zero value of a field is its default;
// a count below zero is none.
type Options struct {
	// Layout is a benchmark's name in any spelling, whose folders, file formats
	// and classes are written, or All; see Layouts. "" is MVTec-AD's
	// folders with the classes of Set.
	Layout      string
	Set         string   // Textures, Objects or All; "" is All; only without a Layout
	Classes     []string // some of the set's or layout's classes; none: all of them
	Seed        uint64
	Normal      int                   // normal test pictures a class, where the layout has such; default 12, with a Layout 2
	Anomalous   int                   // anomalous test pictures a class, over its defects in turn; default 12, with a Layout 3
	TrainNormal int                   // normal training pictures a class, which this project does not use, where the layout has such; default none
	Size        int                   // the larger side of the pictures in pixels, MinSize to MaxSize; default 256
	Workers     int                   // pictures drawn at once; default one a processor; it changes no byte
	Progress    func(done, total int) // called after each picture, one call at a time
}

// The bounds of Options.Size, and of each count of pictures. The smaller side of
// a picture is at least MinSize too; the larger one of long pictures grows to fit.
const (
	MinSize  = 64
	MaxSize  = 2048
	MaxCount = 100_000
)

// ConfigFile is the configuration that the layout All adds: where each dataset lies.
const ConfigFile = "datasets.yaml"

// Summary says what was written.
type Summary struct {
	Layouts                        []string // of benchmarks, by their names in Layouts
	Classes                        []string
	Normal, Anomalous, TrainNormal int // in all; each anomalous picture has a mask
	Validation                     int // pictures of validation parts
}

func (s *Summary) count(p part) {
	switch p {
	case testNormal:
		s.Normal++
	case testAnomalous:
		s.Anomalous++
	case trainNormal:
		s.TrainNormal++
	default:
		s.Validation++
	}
}

// What Write fails with, wrapped with what and where.
var (
	ErrNotEmpty = errors.New("the folder is not empty") // it holds something already
	ErrNothing  = errors.New("no picture is asked for") // or none that the layout has
	ErrUnknown  = errors.New("unknown name")            // of a layout, set or class
)

// Write draws a dataset into the folder dir, which must be missing or empty.
// Without a Layout these are its files:
//
//	<class>/train/good/000.png           where TrainNormal asks for it
//	<class>/test/good/000.png            8-bit RGB
//	<class>/test/<defect>/000.png
//	<class>/ground_truth/<defect>/000_mask.png   8-bit gray: 255 where the defect was drawn, else 0
//
// With one they are the benchmark's, as it is published. VisA, Brain and Retina
// have a few pictures of train and validation parts whatever is asked for, since
// these are easily taken for test pictures; a set of numbered pictures has no
// more than it has numbers. All writes each benchmark into the folder that the
// released code names, and a ConfigFile.
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
	p, err := newPlan(o, list)
	if err != nil {
		return Summary{}, err
	}
	missing, err := requireEmpty(dir)
	if err != nil {
		return Summary{}, fmt.Errorf("%s: %w", dir, err)
	}
	if err := claim(dir, p.paths()); err != nil {
		return Summary{}, err
	}
	if err := p.write(ctx, dir, o); err != nil {
		return Summary{}, errors.Join(err, p.remove(dir, missing))
	}
	return p.summary, nil
}

// claim makes the folder and those directly below it that paths begin with. One of
// these that is there already is another program's: then none of ours stays.
func claim(dir string, paths []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	made := map[string]bool{}
	for _, path := range paths {
		top, _, inFolder := strings.Cut(path, "/")
		if !inFolder || made[top] {
			continue
		}
		err := os.Mkdir(filepath.Join(dir, top), 0o755)
		if err == nil {
			made[top] = true
			continue
		}
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%s: %w: another program is writing there", dir, ErrNotEmpty)
		}
		for top := range made {
			err = errors.Join(err, os.Remove(filepath.Join(dir, top)))
		}
		return err
	}
	return nil
}

// remove takes away what was written, the folder too where it was not there before.
func (p plan) remove(dir string, whole bool) error {
	if whole {
		return os.RemoveAll(dir)
	}
	var failed error
	for _, path := range p.paths() {
		top, _, _ := strings.Cut(path, "/")
		failed = errors.Join(failed, os.RemoveAll(filepath.Join(dir, top)))
	}
	return failed
}

// resolve fills in the defaults, checks the bounds and finds what is named.
func (o Options) resolve() (Options, []dataset, error) {
	normal, anomalous := 12, 12
	switch {
	case o.Layout == "":
		if o.Set == "" {
			o.Set = All
		}
	case o.Set != "":
		return o, nil, fmt.Errorf("layout %s and set %s: a layout has its benchmark's classes", o.Layout, o.Set)
	default:
		normal, anomalous = 2, 3 // of up to fifteen classes
	}
	counts := []struct {
		name     string
		value    *int
		standard int
	}{{"normal", &o.Normal, normal}, {"anomalous", &o.Anomalous, anomalous}, {"train normal", &o.TrainNormal, 0}}
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
		return o, nil, ErrNothing
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	list, err := o.datasets()
	return o, list, err
}

// requireEmpty demands that a folder is missing or empty, and says which.
func requireEmpty(dir string) (missing bool, err error) {
	folder, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY, 0) // a pipe would be waited for
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
