package metrics

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

const (
	unbounded = math.MaxInt64 // bytes of memory

	// Approximate memory besides the stored runs, in bytes: for adding samples, and for
	// a goroutine to sort a run and to sweep a stretch.
	poolBytes   = 32 << 20
	workerBytes = 24 << 20
)

// pool stores scored samples of both classes as sorted runs. Runs are sorted in the
// background while samples are added, so the work overlaps with the model's next picture.
type pool struct {
	piles   [classes]pile
	regions uint64 // number of regions of anomalous samples
	length  int    // number of keys of a full run
	store   store
	sorters chan *sorter // idle sorters
	work    sync.WaitGroup
}

// pile is the samples of one class.
type pile struct {
	count uint64
	runs  []*run

	newest memory           // unsorted samples, fewer than a full run
	sizes  []uint32         // anomalous: region sizes of the newest samples, indexed by tag
	tagOf  map[uint32]uint8 // region size to tag
}

// bounds are the limits of a pool.
type bounds struct {
	length  int   // number of keys of a full run
	room    int64 // maximum bytes of runs in memory
	sorters int   // number of goroutines
}

// boundsOf returns the bounds for about memory bytes, if that is enough for one goroutine,
// and for at most workers goroutines (0: one per processor).
func boundsOf(memory int64, workers int) bounds {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	forWork := memoryForWork(memory)
	return bounds{runLength, memory - poolBytes - forWork, int(max(1, min(int64(workers), forWork/workerBytes)))}
}

// newPool returns an empty pool. Runs that exceed the memory go to the file from spill.
func newPool(b bounds, spill func() (*spillFile, error)) *pool {
	p := &pool{length: b.length, sorters: make(chan *sorter, b.sorters), store: store{room: b.room, newSpill: spill}}
	for range b.sorters {
		p.sorters <- &sorter{}
	}
	return p
}

// memoryForWork returns the part of the memory for goroutines. It does not depend on their
// number, so that the amount that fits into memory is the same on all machines.
func memoryForWork(memory int64) int64 {
	return max(workerBytes, min(2*workerBytes, memory/4), memory/6)
}

// add adds samples of one class: size is 0 for normal ones, and the number of pixels of
// their region for anomalous ones. It copies keys.
func (p *pool) add(keys []uint32, size uint32) {
	c := &p.piles[normal]
	if size > 0 {
		c = &p.piles[anomalous]
	}
	c.count += uint64(len(keys))
	for len(keys) > 0 {
		var tag uint8
		if size > 0 {
			tag = p.tag(size)
		}
		if len(c.newest.keys) == 0 && len(c.runs) > 0 { // the first run grows as needed, because there may be few samples
			c.newest = p.store.memory(p.length, c.runs[0].class())
		}
		n := min(len(keys), p.length-len(c.newest.keys))
		c.newest.keys = append(c.newest.keys, keys[:n]...)
		if size > 0 {
			for range n {
				c.newest.tags = append(c.newest.tags, tag)
			}
		}
		if keys = keys[n:]; len(c.newest.keys) == p.length {
			p.seal(c)
		}
	}
}

// tag returns the tag of the region size in the newest run.
func (p *pool) tag(size uint32) uint8 {
	c := &p.piles[anomalous]
	if tag, known := c.tagOf[size]; known {
		return tag
	}
	if len(c.sizes) == sizesOfRun {
		p.seal(c)
	}
	if c.tagOf == nil {
		c.tagOf = make(map[uint32]uint8)
	}
	tag := uint8(len(c.sizes))
	c.tagOf[size] = tag
	c.sizes = append(c.sizes, size)
	return tag
}

// seal turns c's newest samples into a run in the background. It blocks while all sorters are busy.
func (p *pool) seal(c *pile) {
	if len(c.newest.keys) == 0 {
		return
	}
	r := &run{sizes: c.sizes}
	m := c.newest
	c.runs = append(c.runs, r)
	c.newest, c.sizes = memory{}, nil
	clear(c.tagOf)
	s := <-p.sorters
	p.work.Go(func() {
		r.hold(s.sort(m))
		p.store.settle(r, &s.bytes)
		p.sorters <- s
	})
}

// finish turns all samples into runs, and waits until this is done.
func (p *pool) finish() error {
	p.seal(&p.piles[normal])
	p.seal(&p.piles[anomalous])
	p.work.Wait()
	return p.store.failure()
}

// merge moves all samples of other into p.
func (p *pool) merge(other *pool) error {
	if err := other.finish(); err != nil {
		return err
	}
	p.store.takeFiles(&other.store)
	for _, r := range other.runs() {
		p.adopt(r)
	}
	p.regions += other.regions
	other.reset()
	return p.store.failure()
}

// adopt takes a run from another pool. The samples of a short run are sorted again with
// others, so that many small parts do not become many runs.
func (p *pool) adopt(r *run) {
	switch c := &p.piles[r.class()]; {
	case r.file != nil || r.length > p.length/4:
		c.count += uint64(r.length)
		c.runs = append(c.runs, r)
		s := <-p.sorters
		p.store.settle(r, &s.bytes)
		p.sorters <- s
	case r.class() == normal:
		p.add(r.keys, 0)
	default:
		for i, tag := range r.tags {
			p.add(r.keys[i:i+1], r.sizes[tag])
		}
	}
}

func (p *pool) runs() []*run { return slices.Concat(p.piles[normal].runs, p.piles[anomalous].runs) }

// reset empties a finished pool without closing its files.
func (p *pool) reset() {
	p.piles, p.regions = [classes]pile{}, 0
	p.store.reset()
}

func (p *pool) close() error {
	p.work.Wait()
	p.reset()
	return p.store.close()
}
