package metrics

import (
	"math/rand/v2"
	"slices"
)

const (
	runLength   = 1 << 18 // number of keys of a full run, which fits the processor's cache
	sizesOfRun  = 256     // maximum number of region sizes, so that a tag is one byte
	blockLength = 1 << 9  // number of keys per entry of a run's index
)

// run is sorted keys of one class, in memory or on disk. A key has 4 bytes, and an
// anomalous one a tag of 1 byte.
type run struct {
	length int
	first  int      // index of the first key of the first whole block
	index  []uint32 // the first key of each whole block
	sizes  []uint32 // anomalous: the distinct region sizes in pixels, indexed by tag

	memory            // keys in ascending order; empty if they are on disk
	file   *spillFile // nil if the run is in memory
	at     int64      // offset of the keys in file; the tags follow
}

// class is normal or anomalous.
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

// memory is the samples of a run.
type memory struct {
	keys []uint32
	tags []uint8 // anomalous: each key's index into the region sizes
}

// hold sets the sorted samples of r. The first block starts at a pseudo-random offset:
// aligned index entries of pictures with similar scores would give cutsOf uneven
// stretches. Results do not depend on it.
func (r *run) hold(m memory) {
	r.length, r.memory = len(m.keys), m
	r.first = rand.IntN(blockLength)
	r.index = make([]uint32, 0, r.length/blockLength+1)
	for i := r.first; i < r.length; i += blockLength {
		r.index = append(r.index, r.keys[i])
	}
}

// bytes returns the size of the keys and tags.
func (r *run) bytes() int64 {
	if r.class() == anomalous {
		return int64(r.length) * 5
	}
	return int64(r.length) * 4
}

// overhead returns the further memory for r in bytes: the sizes, the index, and twice the index in cutsOf.
func (r *run) overhead() int64 { return 4 * int64(len(r.sizes)+3*len(r.index)) }

// window is the part of a run between two keys.
type window struct {
	before  int      // number of keys below the window
	between []uint32 // keys in the window below its last key
	equal   int      // number of keys equal to its last key
}

// window returns r's keys above prev and up to last, inclusive. It is valid until the next
// use of the reader.
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

	// Find the end of the equal keys; their block is already read unless there are many.
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

// block returns the bounds of the block that contains key: between from and to keys of r are below it.
func (r *run) block(key uint32) (from, to int) {
	next, _ := slices.BinarySearch(r.index, key)
	to = r.first + next*blockLength
	return max(to-blockLength, 0), min(to, r.length)
}
