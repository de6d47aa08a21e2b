package metrics

import (
	"math/rand/v2"
	"slices"
)

const (
	runLength   = 1 << 18 // keys of a full run: what a processor's own cache holds
	sizesOfRun  = 256     // so that a tag is a byte
	blockLength = 1 << 9  // keys from one entry of a run's index to the next
)

// run is sorted keys of one class, in memory or on disk. A key takes 4 bytes,
// and an anomalous one a tag of 1 byte more.
type run struct {
	length int
	first  int      // where the first whole block begins
	index  []uint32 // the first key of each whole block
	sizes  []uint32 // anomalous: the distinct sizes of the regions, in pixels, which tags count through

	memory            // keys in rising order; empty once they are on disk
	file   *spillFile // nil in memory
	at     int64      // where the keys begin in file; the tags follow
}

// class is what samples are of.
type class uint8

const (
	normal class = iota
	anomalous
	classes
)

func (r *run) class() class {
	if r.sizes != nil {
		return anomalous
	}
	return normal
}

// memory holds samples of a run.
type memory struct {
	keys []uint32
	tags []uint8 // anomalous: each key's index into the sizes of regions
}

// hold gives r sorted samples. Blocks begin anywhere: the pixels of pictures
// are often spread alike, and cutsOf must not find the entries of all indexes
// together. No result depends on it.
func (r *run) hold(m memory) {
	r.length, r.memory = len(m.keys), m
	r.first = rand.IntN(blockLength)
	r.index = make([]uint32, 0, r.length/blockLength+1)
	for i := r.first; i < r.length; i += blockLength {
		r.index = append(r.index, r.keys[i])
	}
}

// bytes is what the keys and tags take.
func (r *run) bytes() int64 {
	if r.class() == anomalous {
		return int64(r.length) * 5
	}
	return int64(r.length) * 4
}

// overhead is what r takes in memory beside them: the sizes, the index, and twice that in cutsOf.
func (r *run) overhead() int64 { return 4 * int64(len(r.sizes)+3*len(r.index)) }

// window is the part of a run from one key up to another.
type window struct {
	before  int      // keys below the window
	between []uint32 // keys in the window and below its last
	equal   int      // keys equal to its last
}

// window returns r's keys above prev and up to last. What it holds is valid
// until the reader's next use.
func (r *run) window(prev, last uint32, in *reader) (window, error) {
	from, _ := r.block(prev + 1)
	_, to := r.block(last)
	keys, err := in.keys(r, from, to)
	if err != nil {
		return window{}, err
	}
	low, _ := slices.BinarySearch(keys, prev+1)
	high, _ := slices.BinarySearch(keys, last)
	w := window{before: from + low, between: keys[low:high]}

	// Where the equal ones end: the block is read already, unless they are many.
	end := to
	if from, to := r.block(last + 1); to > end {
		keys, err := in.edge(r, from, to)
		if err != nil {
			return window{}, err
		}
		high, _ := slices.BinarySearch(keys, last+1)
		end = from + high
	} else {
		beyond, _ := slices.BinarySearch(keys[high:], last+1)
		end = w.before + len(w.between) + beyond
	}
	w.equal = end - w.before - len(w.between)
	return w, nil
}

// block returns the bounds of the block that key falls into: r has from, ..., to keys below it.
func (r *run) block(key uint32) (from, to int) {
	next, _ := slices.BinarySearch(r.index, key)
	to = r.first + next*blockLength
	return max(to-blockLength, 0), min(to, r.length)
}
