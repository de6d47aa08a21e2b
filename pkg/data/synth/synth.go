// Package synth draws small synthetic datasets of surfaces and objects with defects
// and exact masks, in the layout of MVTec-AD or, with the benchmark's class names, in
// that of any benchmark. They need no download and no licence. They are for trying out
// and testing the program, not for benchmarking.
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

// Options are the options of Write. The zero value of a field means its default; a
// negative count means no pictures.
type Options struct {
	// Layout is All or a benchmark's name in any spelling (see Layouts); Write uses
	// its folders, file formats and classes. "" means the layout of MVTec-AD with
	// the classes of Set.
	Layout      string
	Set         string   // Textures, Objects or All; "" means All; must be "" with a Layout
	Classes     []string // the classes to draw from the set or layout; empty: all
	Seed        uint64
	Normal      int                   // normal test pictures per class, if the layout has any; default 12, or 2 with a Layout
	Anomalous   int                   // anomalous test pictures per class, with its defects in turn; default 12, or 3 with a Layout
	TrainNormal int                   // normal training pictures per class, if the layout has any; this project does not use them; default none
	Size        int                   // larger side of the pictures in pixels, MinSize to MaxSize; default 256
	Workers     int                   // pictures drawn in parallel; default: number of processors; does not change the output
	Progress    func(done, total int) // called after each picture, never concurrently; may be nil
}

// The limits of Options.Size and of each count of pictures. The smaller side of a
// picture is also at least MinSize; the larger side grows if needed.
const (
	MinSize  = 64
	MaxSize  = 2048
	MaxCount = 100_000
)

// ConfigFile is the configuration file that the layout All adds, with the path of each dataset.
const ConfigFile = "datasets.yaml"

// Summary is the result of Write.
type Summary struct {
	Layouts                        []string // the benchmarks' names, as in Layouts
	Classes                        []string
	Normal, Anomalous, TrainNormal int // total numbers of pictures; each anomalous picture has a mask
	Validation                     int // number of validation pictures
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

// Errors of Write, wrapped with context.
var (
	ErrNotEmpty = errors.New("the folder is not empty")
	ErrNothing  = errors.New("no pictures to draw") // all counts are zero, or the layout has no such pictures
	ErrUnknown  = errors.New("unknown name")        // of a layout, set or class
)

// Write draws a dataset into the folder dir, which must not exist or be empty. Without
// a Layout it writes these files:
//
//	<class>/train/good/000.png           if TrainNormal is above 0
//	<class>/test/good/000.png            8-bit RGB
//	<class>/test/<defect>/000.png
//	<class>/ground_truth/<defect>/000_mask.png   8-bit gray: 255 at the defect, else 0
//
// With a Layout, the files are those of the published benchmark. VisA, Brain and
// Retina always get a few train and validation pictures, because these are easily
// mistaken for test pictures; some datasets have a maximum number of pictures. All
// writes each benchmark into the folder that the released code names, and a
// ConfigFile.
//
// A picture depends only on the seed, its class, its folder and its number: the same
// options give the same bytes on the same type of processor, and a larger count only
// adds pictures. Files are written atomically. After an error, or when ctx ends, Write
// removes the files it wrote.
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

// claim creates the folder and the top-level folders of paths in it. If one of these
// already exists, another program is writing there: claim then removes its own.
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

// remove deletes the written files, and the folder itself if whole is true.
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

// resolve applies the defaults, checks the limits and looks up the datasets.
func (o Options) resolve() (Options, []dataset, error) {
	normal, anomalous := 12, 12
	switch {
	case o.Layout == "":
		if o.Set == "" {
			o.Set = All
		}
	case o.Set != "":
		return o, nil, fmt.Errorf("layout %s and set %s: give only one of them, since a layout has its benchmark's classes", o.Layout, o.Set)
	default:
		normal, anomalous = 2, 3 // for up to fifteen classes
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
			return o, nil, fmt.Errorf("%d %s pictures per class: the maximum is %d", *count.value, count.name, MaxCount)
		}
	}
	if o.Size == 0 {
		o.Size = 256
	}
	if o.Size < MinSize || o.Size > MaxSize {
		return o, nil, fmt.Errorf("invalid size %d: it must be %d to %d pixels", o.Size, MinSize, MaxSize)
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

// requireEmpty returns an error unless dir is empty or missing, and reports whether it is missing.
func requireEmpty(dir string) (missing bool, err error) {
	folder, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY, 0) // opening a pipe would block
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
