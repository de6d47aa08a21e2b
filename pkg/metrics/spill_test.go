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

// TestSpillLeavesNothing looks into the folder while scores lie there.
func TestSpillLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	pixels := newPixels(t, Options{Memory: 1, Folder: folder})
	pixels.pool.length = 1000
	addAll(t, pixels, somePictures(rand.New(rand.NewPCG(18, 19)), 10))
	if err := pixels.pool.finish(); err != nil {
		t.Fatal(err)
	}
	if files := pixels.pool.store.files; len(files) != 1 || files[0].end == 0 {
		t.Fatal("nothing went to disk")
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) > 0 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
}

// TestFullDisk has a disk that is full from the start.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	pixels := crampedPixels(t, 2, 100, 0)
	pixels.pool.store.spill = &spillFile{file: full, folder: "/scratch"}
	for range 50 {
		for _, p := range somePictures(rand.New(rand.NewPCG(20, 21)), 10) {
			err = errors.Join(err, pixels.Add(p.scores, p.mask, p.width, p.height))
		}
	}
	_, summaryErr := pixels.Summary()
	_, writeErr := pixels.WriteTo(&strings.Builder{})
	mergeErr := newPixels(t, Options{}).Merge(pixels)
	for i, err := range []error{err, summaryErr, writeErr, mergeErr} {
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "the disk of /scratch is full") {
			t.Errorf("error %d of a full disk: %v", i, err)
		}
	}
}

// TestUnlinkedFile is what a file system without nameless files gets.
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

// TestReadErrors closes the file below what lies there.
func TestReadErrors(t *testing.T) {
	pixels := crampedPixels(t, 2, 100, 0)
	addAll(t, pixels, somePictures(rand.New(rand.NewPCG(24, 25)), 10))
	if err := pixels.pool.finish(); err != nil {
		t.Fatal(err)
	}
	if err := pixels.pool.store.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := pixels.Summary(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("scores that cannot be read: %v", err)
	}
	if _, err := pixels.WriteTo(&strings.Builder{}); !errors.Is(err, os.ErrClosed) {
		t.Errorf("writing scores that cannot be read: %v", err)
	}
}
