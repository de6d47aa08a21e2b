// Package contents names what is in picture files by short hashes, remembers
// the hashes on disk, and finds the files that two datasets share.
package contents

import (
	"context"
	"runtime"
	"sync"
	"time"

	"acdclip/pkg/regularfile"
)

// Hasher hashes files on several goroutines and remembers the results on disk.
//
// A remembered hash is used for a file whose path, size and modification time
// are what they were. Other content put in its place under the same three is
// not noticed.
type Hasher struct {
	Cache    string         // the folder of the remembered hashes, made when needed; "": nothing is remembered
	Workers  int            // goroutines that read; 0: GOMAXPROCS
	Progress func(done int) // told after each path how many are done, one call at a time; may be nil
}

func (h Hasher) workers() int {
	if h.Workers > 0 {
		return h.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Sums gives the Sum of each file, in the order of paths. Root is the folder of
// the dataset that the files belong to: each has a cache of its own. The paths
// are opened as they are, and need not lie below it.
//
// Only regular files are read, links followed. The error is that of the first
// path that fails, and names it; or ctx's. Neither it nor the result depends on
// the number of workers. What was hashed until then is remembered. No goroutine
// is left.
func (h Hasher) Sums(ctx context.Context, root string, paths []string) ([]Sum, error) {
	sums := make([]Sum, len(paths))
	anySize := func(int64) bool { return true }
	err := h.each(ctx, root, paths, anySize, func(i int, sum Sum) { sums[i] = sum })
	if err != nil {
		return nil, err
	}
	return sums, nil
}

// Shared gives those of the paths whose files' content is in the set, in the
// order of paths. It is as Sums, but reads only files whose size is in the set.
func (h Hasher) Shared(ctx context.Context, root string, paths []string, with Set) ([]string, error) {
	isShared := make([]bool, len(paths))
	err := h.each(ctx, root, paths, with.HasSize, func(i int, sum Sum) { isShared[i] = with.Has(sum) })
	if err != nil {
		return nil, err
	}
	var shared []string
	for i, path := range paths {
		if isShared[i] {
			shared = append(shared, path)
		}
	}
	return shared, nil
}

// each calls found with the Sum of every path whose file's size is wanted, on
// several goroutines at once, at most once a path.
func (h Hasher) each(ctx context.Context, root string, paths []string, wanted func(size int64) bool, found func(i int, sum Sum)) error {
	j := job{paths: paths, wanted: wanted, found: found, progress: h.Progress, cache: openCache(h.Cache, root)}
	var running sync.WaitGroup
	for range min(h.workers(), len(paths)) {
		running.Go(func() {
			r := newReader()
			for {
				i, more := j.take()
				if !more {
					return
				}
				j.finish(i, j.do(ctx, r, i))
			}
		})
	}
	running.Wait()
	j.cache.save()
	return j.err
}

// job is one call's work, which its goroutines share.
type job struct {
	paths    []string
	wanted   func(size int64) bool
	found    func(i int, sum Sum)
	progress func(done int)
	cache    *cache

	mutex  sync.Mutex
	next   int // the first path that no goroutine took
	done   int
	failed int // the path that err belongs to
	err    error
}

// take gives the index of a path to work on. Paths are given out in order and
// none after a failure, so that all before the one that failed are finished and
// the first failure is the same with any number of goroutines.
func (j *job) take() (i int, more bool) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if j.err != nil || j.next == len(j.paths) {
		return 0, false
	}
	j.next++
	return j.next - 1, true
}

func (j *job) finish(i int, err error) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	switch {
	case err == nil:
		j.done++
		if j.progress != nil {
			j.progress(j.done)
		}
	case j.err == nil || i < j.failed:
		j.failed, j.err = i, err
	}
}

func (j *job) do(ctx context.Context, r *reader, i int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path, start := j.paths[i], time.Now()
	info, err := regularfile.Stat(path)
	if err != nil {
		return err
	}
	if !j.wanted(info.Size()) {
		return nil
	}
	key := j.cache.key(path, info)
	hash, known := j.cache.lookup(key)
	if !known {
		if hash, err = r.hash(ctx, path, info.Size()); err != nil {
			return err
		}
		if start.Sub(info.ModTime()) >= settled {
			j.cache.add(entry{key, hash})
		}
	}
	j.found(i, Sum{info.Size(), hash})
	return nil
}
