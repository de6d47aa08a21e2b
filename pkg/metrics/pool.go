package metrics

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

const (
	unbounded = math.MaxInt64 // bytes of memory

	// What is needed beside the runs that are kept, about: to take samples, and for a
	// goroutine to sort a run and to sweep a stretch.
	poolBytes   = 32 << 20
	workerBytes = 24 << 20
)

// pool holds scored samples of both classes as sorted runs. Runs are sorted in
// the background while samples come: that spreads the work over the time that
// the model needs for the next picture.
type pool struct {
	piles   [classes]pile
	regions uint64 // of anomalous samples
	length  int    // keys of a full run
	store   store
	sorters chan *sorter // those at rest
	work    sync.WaitGroup
}

// pile is the samples of one class.
type pile struct {
	count uint64
	runs  []*run

	newest memory           // fewer samples than a full run's, in the order they came
	sizes  []uint32         // anomalous: of the newest ones' regions, which their tags count through
	tagOf  map[uint32]uint8 // by size
}

// bounds are how much a pool keeps in memory.
type bounds struct {
	length  int   // keys of a full run
	room    int64 // bytes of runs
	sorters int   // goroutines
}

// boundsOf are those of about so many bytes of memory, as far as one goroutine can
// do with that, and of at most so many goroutines (0: one a processor).
func boundsOf(memory int64, workers int) bounds {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	forWork := memoryForWork(memory)
	return bounds{runLength, memory - poolBytes - forWork, int(max(1, min(int64(workers), forWork/workerBytes)))}
}

// newPool makes an empty pool. What memory has no room for goes to the file that
// spill makes.
func newPool(b bounds, spill func() (*spillFile, error)) *pool {
	p := &pool{length: b.length, sorters: make(chan *sorter, b.sorters), store: store{room: b.room, newSpill: spill}}
	for range b.sorters {
		p.sorters <- &sorter{}
	}
	return p
}

// memoryForWork is what of the memory is for goroutines. It does not depend on how
// many there are: what fits into memory on one machine does so on every other.
func memoryForWork(memory int64) int64 {
	return max(workerBytes, min(2*workerBytes, memory/4), memory/6)
}

// add takes samples of one class: size is 0 for normal ones, and for anomalous
// ones the number of pixels of their region. It copies keys.
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
		if len(c.newest.keys) == 0 && len(c.runs) > 0 { // the first run grows with its samples, which may be few
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

// tag returns the tag of regions of size in the newest run.
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

// seal turns c's newest samples into a run, in the background. It waits while all sorters are busy.
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

// finish turns all samples into runs, and waits for the work that this is.
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

// adopt takes a run of another pool. A short one's samples are sorted anew,
// together with others: many small parts do not become many runs.
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

// reset leaves a pool that has finished empty; its files are not closed.
func (p *pool) reset() {
	p.piles, p.regions = [classes]pile{}, 0
	p.store.reset()
}

func (p *pool) close() error {
	p.work.Wait()
	p.reset()
	return p.store.close()
}
