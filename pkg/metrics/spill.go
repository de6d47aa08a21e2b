package metrics

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
)

// spillFile is a nameless temporary file, which is gone when the program ends for any
// reason.
type spillFile struct {
	file   *os.File
	folder string
	mutex  sync.Mutex
	end    int64
}

// spillInto returns a function that creates files in folder ("" means the system's temporary folder).
func spillInto(folder string) func() (*spillFile, error) {
	return func() (*spillFile, error) { return newSpillFile(folder) }
}

func newSpillFile(folder string) (*spillFile, error) {
	if folder == "" {
		folder = os.TempDir()
	}
	file, err := os.OpenFile(folder, os.O_RDWR|nameless, 0o600)
	if nameless == 0 || err != nil { // not every system and file system supports it
		file, err = unlinkedFile(folder)
	}
	if err != nil {
		return nil, fmt.Errorf("creating the temporary file for pixel scores: %w; set TMPDIR to another folder, or allow more memory", err)
	}
	return &spillFile{file: file, folder: folder}, nil
}

// unlinkedFile creates a file in folder and removes its name.
func unlinkedFile(folder string) (*os.File, error) {
	file, err := os.CreateTemp(folder, "acdclip-pixels-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// take moves a run's keys and tags from memory to disk.
func (s *spillFile) take(r *run, buffer *[]byte) error {
	s.mutex.Lock()
	at := s.end
	s.end += r.bytes()
	s.mutex.Unlock()
	to := io.NewOffsetWriter(s.file, at)
	err := writeWords(to, r.keys, buffer)
	if err == nil {
		_, err = to.Write(r.tags)
	}
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("the disk with %s is full after %d MB of pixel scores: %w", s.folder, at/1e6, err)
	case err != nil:
		return fmt.Errorf("writing pixel scores to %s: %w", s.folder, err)
	}
	r.memory, r.file, r.at = memory{}, s, at
	return nil
}

func (s *spillFile) close() error { return s.file.Close() }

// reader reads parts of runs and reuses its memory.
type reader struct {
	words, edgeWords []uint32
	tagBytes, bytes  []byte
}

// keys returns r's keys [from, to).
func (in *reader) keys(r *run, from, to int) ([]uint32, error) {
	return in.read(&in.words, r, from, to)
}

// edge is like keys, but with its own buffer, so the result of keys stays valid.
func (in *reader) edge(r *run, from, to int) ([]uint32, error) {
	return in.read(&in.edgeWords, r, from, to)
}

func (in *reader) read(into *[]uint32, r *run, from, to int) ([]uint32, error) {
	if r.file == nil {
		return r.keys[from:to], nil
	}
	*into, in.bytes = resized(*into, to-from), resized(in.bytes, (to-from)*4)
	_, err := r.file.file.ReadAt(in.bytes, r.at+int64(from)*4)
	decode(*into, in.bytes)
	return *into, err
}

// tags returns r's tags [from, to).
func (in *reader) tags(r *run, from, to int) ([]uint8, error) {
	if r.file == nil {
		return r.tags[from:to], nil
	}
	in.tagBytes = resized(in.tagBytes, to-from)
	_, err := r.file.file.ReadAt(in.tagBytes, r.at+int64(r.length)*4+int64(from))
	return in.tagBytes, err
}
