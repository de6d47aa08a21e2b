package metrics

import (
	"errors"
	"fmt"
	"math"
)

const (
	// DefaultMemory is Options.Memory where it is 0: 1 GiB, enough for 200 million pixels without a file.
	DefaultMemory = 1 << 30

	// DefaultFPRLimit is Options.FPRLimit where it is 0.
	DefaultFPRLimit = 0.3
)

var errClosed = errors.New("pixels are collected no more: Close was called")

// Options say how a Pixels keeps what it collects. No result depends on them but FPRLimit's.
type Options struct {
	// Memory is about how many bytes may be used, working memory included; 0 means
	// DefaultMemory. Scores beyond it go to disk. However small it is, some 50 MB
	// are used where there are many pixels.
	Memory int64

	// Folder is where the file for what goes to disk is made, and "" the system's
	// temporary folder. The file has no name: nothing is left of it when the
	// program ends, however it ends.
	Folder string

	// Workers is the largest number of goroutines, and 0 one a processor.
	Workers int

	// FPRLimit is the false-positive rate in (0, 1] that AUPRO goes up to; 0 means DefaultFPRLimit.
	FPRLimit float64
}

// Pixels collects anomaly maps and masks picture by picture, and computes
// metrics over the pixels of all of them. It keeps 4 bytes a normal pixel and
// 5 an anomalous one, and a hundredth beside; it copies what it is given. It is
// not safe for concurrent use: goroutines can each make their own Picture ready,
// and take turns with AddPicture.
type Pixels struct {
	pool    *pool // nil once it is closed
	options Options
	picture Picture // Add's
}

// Picture is one picture's pixels made ready to be collected, which is most of the
// work of collecting them. The zero value is ready to be set, and may be set again.
type Picture struct {
	keys     []uint32
	labeller labeller
	regions  uint64
}

// Set makes one picture ready: the scores of its pixels [H, W] and its mask [H, W],
// both row-major, which are only read. Mask and errors are as Add has them; after
// an error the Picture has no pixels.
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

	// AUPRO is the area under the per-region overlap (PRO) over the false-positive
	// rate (FPR) up to the limit, divided by the limit, in [0, 1]. A region is an
	// 8-connected component of a mask. At a threshold, PRO is the mean over all
	// regions of the share of a region's pixels that score at least as high, and
	// FPR the share of all normal pixels that do. The curve goes from (0, 0) through
	// a point for each distinct score; the area is the trapezoid rule's, with linear
	// interpolation at the limit. (Bergmann et al., "The MVTec Anomaly Detection
	// Dataset", IJCV 2021)
	AUPRO float64

	Regions uint64
}

// NewPixels returns an empty collector, which Close gives back. The error says which option is out of range.
func NewPixels(o Options) (*Pixels, error) {
	if o.Memory == 0 {
		o.Memory = DefaultMemory
	}
	if o.FPRLimit == 0 {
		o.FPRLimit = DefaultFPRLimit
	}
	switch {
	case o.Memory < 0:
		return nil, fmt.Errorf("a memory limit of %d bytes is negative", o.Memory)
	case o.Workers < 0:
		return nil, fmt.Errorf("%d workers are negative", o.Workers)
	case !(o.FPRLimit > 0 && o.FPRLimit <= 1):
		return nil, fmt.Errorf("a false-positive rate limit of %v is not in (0, 1]", o.FPRLimit)
	}
	return &Pixels{pool: newPool(boundsOf(o.Memory, o.Workers), spillInto(o.Folder)), options: o}, nil
}

// Add collects one picture: the scores of its pixels [H, W] and its mask [H, W],
// both row-major. A mask's byte is zero where the pixel is normal, and a nil mask
// says that all are. Where the sizes differ or a score is not finite (the error
// wraps ErrNotFinite and names the place), nothing is added. An error of keeping
// scores on disk, such as a full disk, may come with a later call.
func (p *Pixels) Add(scores []float32, mask []uint8, width, height int) error {
	if p.pool == nil {
		return errClosed
	}
	if err := p.picture.Set(scores, mask, width, height); err != nil {
		return err
	}
	return p.AddPicture(&p.picture)
}

// AddPicture collects a picture that was made ready; it copies what it takes. The
// error says that keeping scores on disk failed, perhaps those of an earlier one.
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
		return fmt.Errorf("%d scores are not those of %d x %d pixels", scores, width, height)
	case mask != nil && len(mask) != scores:
		return fmt.Errorf("%d scores, but a mask of %d", scores, len(mask))
	case uint64(scores) > math.MaxUint32:
		return fmt.Errorf("%d pixels are too many for one picture", scores)
	}
	return nil
}

// Summary computes all metrics in one sweep. More may be added afterwards. The
// error is ErrOneClass, or says that keeping scores on disk failed.
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

// Close gives back memory and disk. Nothing can be collected afterwards.
func (p *Pixels) Close() error {
	if p.pool == nil {
		return nil
	}
	closing := p.pool
	p.pool, p.picture = nil, Picture{}
	return closing.close()
}
