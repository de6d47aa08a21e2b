package metrics

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestSpillLeavesNothing checks that the folder is empty while scores are on disk.
func TestSpillLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	pixels := spilling(t, bounds{length: 1000, sorters: 1}, spillInto(folder))
	addAll(t, pixels, somePictures(rand.New(rand.NewPCG(18, 19)), 10))
	if err := pixels.pool.finish(); err != nil {
		t.Fatal(err)
	}
	for _, r := range pixels.pool.runs() {
		if r.file == nil {
			t.Fatal("a run stays in memory")
		}
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) > 0 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// TestFullDisk uses a disk that is full from the start.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	pixels := spilling(t, bounds{length: 100, sorters: 2}, func() (*spillFile, error) {
		return &spillFile{file: full, folder: "/scratch"}, nil
	})
	for range 50 {
		for _, p := range somePictures(rand.New(rand.NewPCG(20, 21)), 10) {
			err = errors.Join(err, pixels.Add(p.scores, p.mask, p.width, p.height))
		}
	}
	_, summaryErr := pixels.Summary()
	_, writeErr := pixels.WriteTo(&strings.Builder{})
	for i, err := range []error{err, summaryErr, writeErr} {
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk with /scratch is full") {
			t.Errorf("error %d of a full disk: %v", i, err)
		}
	}
}

// TestUnlinkedFile tests the fallback for file systems without nameless files.
func TestUnlinkedFile(t *testing.T) {
	folder := t.TempDir()
	file, err := unlinkedFile(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte("scores"), 0); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

func TestNoFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "missing")
	pixels := newPixels(t, Options{Memory: 1, Folder: folder})
	addAll(t, pixels, somePictures(rand.New(rand.NewPCG(22, 23)), 2))
	if _, err := pixels.Summary(); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), folder) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// TestReadErrors closes the file that contains scores.
func TestReadErrors(t *testing.T) {
	spill, err := newSpillFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pixels := &Pixels{pool: newPool(bounds{length: 100, sorters: 2}, func() (*spillFile, error) { return spill, nil }), options: Options{FPRLimit: 1}}
	addAll(t, pixels, somePictures(rand.New(rand.NewPCG(24, 25)), 10))
	if err := pixels.pool.finish(); err != nil {
		t.Fatal(err)
	}
	if err := spill.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := pixels.Summary(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("scores that cannot be read: %v", err)
	}
	if _, err := pixels.WriteTo(&strings.Builder{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("writing scores that cannot be read: %v", err)
	}
	if err := pixels.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closing it again: %v", err)
	}
}
