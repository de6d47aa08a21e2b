package metrics

import (
	"errors"
	"fmt"
	"math"
)

const (
	// DefaultMemory is the default of Options.Memory: 1 GiB, enough for 200 million pixels without a file.
	DefaultMemory = 1 << 30

	// DefaultFPRLimit is the default of Options.FPRLimit.
	DefaultFPRLimit = 0.3
)

var errClosed = errors.New("the collector of pixels is closed")

// Options are the options of a Pixels. Only FPRLimit affects results.
type Options struct {
	// Memory is the approximate maximum number of bytes in memory, including working
	// memory; 0 means DefaultMemory. Further scores go to disk. With many pixels, at
	// least about 50 MB are used.
	Memory int64

	// Folder is the folder of the file for scores on disk; "" means the system's
	// temporary folder. The file has no name, so it is gone when the program ends for
	// any reason.
	Folder string

	// Workers is the maximum number of goroutines; 0 means one per processor.
	Workers int

	// FPRLimit is the maximum false-positive rate of AUPRO, in (0, 1]; 0 means DefaultFPRLimit.
	FPRLimit float64
}

// Pixels collects anomaly maps and masks picture by picture, and computes metrics over all
// pixels. It stores 4 bytes per normal pixel and 5 per anomalous one, plus about 1 %; it
// copies its inputs. It is not safe for concurrent use, but goroutines can prepare their
// own Pictures concurrently and call AddPicture one at a time.
type Pixels struct {
	pool    *pool // nil after Close
	options Options
	picture Picture // reused by Add
}

// Picture is the prepared pixels of one picture; preparing them is most of the work of
// collecting. The zero value is ready for Set, which may be called repeatedly.
type Picture struct {
	keys     []uint32
	labeller labeller
	regions  uint64
}

// Set prepares one picture: the scores of its pixels [H, W] and its mask [H, W], both
// row-major and read-only. Mask and errors are the same as in Add; after an error the
// Picture has no pixels.
func (p *Picture) Set(scores []float32, mask []uint8, width, height int) error {
	p.keys, p.labeller.spans, p.regions = p.keys[:0], p.labeller.spans[:0], 0
	if err := checkSizes(len(scores), mask, width, height); err != nil {
		return err
	}
	p.keys = resized(p.keys, len(scores))
	if i := toKeys(p.keys, scores); i >= 0 {
		p.keys = p.keys[:0]
		return fmt.Errorf("%w: %v at row %d, column %d", ErrNotFinite, scores[i], i/width, i%width)
	}
	if mask != nil {
		p.regions = uint64(p.labeller.label(mask, width))
	}
	return nil
}

// Summary is the metrics over the pixels of all pictures.
type Summary struct {
	Ranking

	// AUPRO is the area under the curve of per-region overlap (PRO) over
	// false-positive rate (FPR) up to the FPR limit, divided by the limit, in [0, 1]. A
	// region is an 8-connected component of a mask. At a threshold, PRO is the mean over
	// all regions of the fraction of a region's pixels with at least that score, and FPR
	// is that fraction of all normal pixels. The curve goes from (0, 0) through one
	// point per distinct score; the area is computed by the trapezoid rule, with linear
	// interpolation at the limit. (Bergmann et al., "The MVTec Anomaly Detection
	// Dataset", IJCV 2021)
	AUPRO float64

	Regions uint64
}

// NewPixels returns an empty collector, which the caller must Close. It returns an error if an option is out of range.
func NewPixels(o Options) (*Pixels, error) {
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.FPRLimit == 0 {
		o.FPRLimit = DefaultFPRLimit
	}
	switch {
	case o.Memory < 0:
		return nil, fmt.Errorf("invalid memory limit of %d bytes: it must not be negative", o.Memory)
	case o.Workers < 0:
		return nil, fmt.Errorf("invalid number of workers %d: it must not be negative", o.Workers)
	case !(o.FPRLimit > 0 && o.FPRLimit <= 1):
		return nil, fmt.Errorf("invalid false-positive rate limit %v: it must be in (0, 1]", o.FPRLimit)
	}
	return &Pixels{pool: newPool(boundsOf(o.Memory, o.Workers), spillInto(o.Folder)), options: o}, nil
}

// Add collects one picture: the scores of its pixels [H, W] and its mask [H, W], both
// row-major. A mask byte is zero for a normal pixel; a nil mask means that all pixels are
// normal. If the sizes differ or a score is not finite (the error wraps ErrNotFinite and
// gives the position), nothing is added. Disk errors, such as a full disk, may be returned
// by a later call.
func (p *Pixels) Add(scores []float32, mask []uint8, width, height int) error {
	if p.pool == nil {
		return errClosed
	}
	if err := p.picture.Set(scores, mask, width, height); err != nil {
		return err
	}
	return p.AddPicture(&p.picture)
}

// AddPicture collects a prepared picture and copies its pixels. An error means that
// writing scores to disk failed, perhaps those of an earlier picture.
func (p *Pixels) AddPicture(picture *Picture) error {
	if p.pool == nil {
		return errClosed
	}
	p.pool.regions += picture.regions
	done := 0
	for i, s := range picture.labeller.spans {
		p.pool.add(picture.keys[done:s.from], 0)
		p.pool.add(picture.keys[s.from:s.to], picture.labeller.size(i))
		done = int(s.to)
	}
	p.pool.add(picture.keys[done:], 0)
	return p.pool.store.failure()
}

func checkSizes(scores int, mask []uint8, width, height int) error {
	switch {
	case width < 1 || height < 1 || scores/width != height || scores%width != 0:
		return fmt.Errorf("got %d scores for %d x %d pixels", scores, width, height)
	case mask != nil && len(mask) != scores:
		return fmt.Errorf("got %d scores but a mask of %d pixels", scores, len(mask))
	case uint64(scores) > math.MaxUint32:
		return fmt.Errorf("%d pixels are too many for one picture", scores)
	}
	return nil
}

// Summary computes all metrics in one sweep. More pictures may be added afterwards. The
// error is ErrOneClass or a disk error.
func (p *Pixels) Summary() (Summary, error) {
	if p.pool == nil {
		return Summary{}, errClosed
	}
	found, err := p.pool.sweep(p.options.FPRLimit)
	if err != nil {
		return Summary{}, err
	}
	return Summary{found.ranking(), found.aupro(), found.regions}, nil
}

// Close releases memory and disk space. The collector cannot be used afterwards.
func (p *Pixels) Close() error {
	if p.pool == nil {
		return nil
	}
	closing := p.pool
	p.pool, p.picture = nil, Picture{}
	return closing.close()
}
