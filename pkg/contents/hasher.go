// Package contents identifies the content of picture files by short hashes, caches the
// hashes on disk, and finds files that two datasets share.
package contents

import (
	"context"
	"runtime"
	"sync"
	"time"

	"acdclip/pkg/regularfile"
)

// Hasher hashes files on several goroutines and caches the results on disk.
//
// A cached hash is used if a file's path, size and modification time are unchanged. A
// change of content that keeps all three is not detected.
type Hasher struct {
	Cache    string         // folder of the cached hashes, created if needed; "" disables the cache
	Workers  int            // number of goroutines that read; 0: GOMAXPROCS
	Progress func(done int) // called after each path with the number done, never concurrently; may be nil
}

func (h Hasher) workers() int {
	if h.Workers > 0 {
		return h.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Sums returns the Sum of each file, in the order of paths. root is the folder of the
// files' dataset; each dataset has its own cache. The paths are opened unchanged and need
// not be below root.
//
// Sums only reads regular files and follows links. The error is that of the first path
// that fails, with the path, or ctx.Err(). Error and result do not depend on the number
// of workers. After an error, the hashes computed so far are cached. No goroutine
// remains.
func (h Hasher) Sums(ctx context.Context, root string, paths []string) ([]Sum, error) {
	sums := make([]Sum, len(paths))
	anySize := func(int64) bool { return true }
	err := h.each(ctx, root, paths, anySize, func(i int, sum Sum) { sums[i] = sum })
	if err != nil {
		return nil, err
	}
	return sums, nil
}

// Shared returns the paths of files whose content is in the set, in the order of paths.
// It works like Sums, but reads only files whose size is in the set.
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

// each calls found, concurrently, with the Sum of every path whose file size is wanted, at
// most once per path.
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

// job is the state of one call, shared by its goroutines.
type job struct {
	paths    []string
	wanted   func(size int64) bool
	found    func(i int, sum Sum)
	progress func(done int)
	cache    *cache

	mutex  sync.Mutex
	next   int // index of the next path
	done   int
	failed int // the path that err belongs to
	err    error
}

// take returns the index of the next path. Paths are taken in order, and none after a
// failure, so all paths before the failed one are finished, and the first failure does
// not depend on the number of goroutines.
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
