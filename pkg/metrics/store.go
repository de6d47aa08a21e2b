package metrics

import (
	"errors"
	"sync"
)

// store keeps runs in memory, or on disk if they exceed the memory.
type store struct {
	room     int64 // maximum bytes of runs in memory
	newSpill func() (*spillFile, error)

	mutex sync.Mutex        // guards the following fields, which background work shares
	kept  int64             // bytes of runs in memory
	free  [classes][]memory // reusable memory of runs that went to disk
	spill *spillFile        // file for runs; nil before the first one
	files []*spillFile      // files to close
	err   error             // the first failure, after which samples are lost
}

// settle keeps a run in memory, or moves it to disk if memory is full.
func (s *store) settle(r *run, buffer *[]byte) {
	file := s.fileFor(r)
	if file == nil {
		return
	}
	m := r.memory
	err := file.take(r, buffer)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if err == nil {
		s.free[r.class()] = append(s.free[r.class()], m)
	} else if s.err == nil {
		s.err = err
	}
}

// fileFor returns the file for r, or nil if r stays in memory.
func (s *store) fileFor(r *run) *spillFile {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.kept += r.overhead()
	if r.file != nil {
		return nil
	}
	if s.kept+r.bytes() <= s.room {
		s.kept += r.bytes()
		return nil
	}
	if s.spill == nil && s.err == nil {
		if s.spill, s.err = s.newSpill(); s.err == nil {
			s.files = append(s.files, s.spill)
		}
	}
	if s.err != nil {
		return nil
	}
	return s.spill
}

// memory returns empty memory for a run of length samples, reused from a run on disk if possible.
func (s *store) memory(length int, c class) memory {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var m memory
	if last := len(s.free[c]) - 1; last >= 0 {
		m, s.free[c] = s.free[c][last], s.free[c][:last]
	}
	if cap(m.keys) < length {
		m.keys = make([]uint32, 0, length)
	}
	if c == anomalous && cap(m.tags) < length {
		m.tags = make([]uint8, 0, length)
	}
	return memory{m.keys[:0], m.tags[:0]}
}

// part returns a store for samples that will be merged into s. It has the remaining memory, and the same file.
func (s *store) part() store {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return store{room: s.room - s.kept, newSpill: s.newSpill, spill: s.spill}
}

func (s *store) failure() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.err
}

// takeFiles moves other's files, with the runs in them, to s.
func (s *store) takeFiles(other *store) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.spill == nil {
		s.spill = other.spill
	}
	s.files = append(s.files, other.files...)
	other.spill, other.files = nil, nil
}

// reset drops the runs in memory.
func (s *store) reset() { s.kept, s.free = 0, [classes][]memory{} }

func (s *store) close() error {
	var errs []error
	for _, file := range s.files {
		errs = append(errs, file.close())
	}
	s.spill, s.files = nil, nil
	return errors.Join(errs...)
}
