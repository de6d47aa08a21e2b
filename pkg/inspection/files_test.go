package inspection

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"acdclip/pkg/batching"
	"acdclip/pkg/data"
	"acdclip/pkg/domain"
	"acdclip/pkg/scoring"
)

// TestFiles: files have the scores of their pictures, in the order of the work, and wait for places
// that others hold; a bad one has its error, and the others are scored.
func TestFiles(t *testing.T) {
	i, f := open(t, Options{Batching: batching.Options{Batch: 2, Queue: 2}})
	folder := t.TempDir()
	var work scoring.Work
	want := map[string]string{"7.png": "not a picture", "8.png": "no such file", "9.png": "the most are 100000"}
	for n := range 10 {
		path := filepath.Join(folder, fmt.Sprint(n, ".png"))
		content := encoded(t, noise(20+n, 30, 250, uint64(n)))
		switch n {
		case 7:
			content = []byte("text")
		case 9:
			content = append(content, make([]byte, 100_000)...)
		}
		if n != 8 {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		work.Items = append(work.Items, data.Item{Path: path})
	}
	work.Batches = scoring.Chunks(len(work.Items), 3)
	files := Files{Model: i, Side: side, Class: "metal_nut", Domain: domain.Industrial, MostBytes: 100_000}
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			if _, err := i.Score(t.Context(), Picture{Image: noise(9, 9, 9, 1), Wait: true}); err != nil {
				t.Error(err)
			}
		})
	}
	next := 0
	err := files.ScoreAll(t.Context(), work, func(s scoring.Scored) error {
		defer func() { next++ }()
		if s.Picture.Index != next || s.Picture.Item.Path != work.Items[next].Path {
			t.Errorf("picture %d, want %d", s.Picture.Index, next)
		}
		if says := want[fmt.Sprint(next, ".png")]; says != "" {
			if s.Err == nil || !strings.Contains(s.Err.Error(), says) {
				t.Errorf("%d: error %v, want %q", next, s.Err, says)
			}
			return nil
		}
		alone, err := i.Score(t.Context(), Picture{Encoded: encoded(t, noise(20+next, 30, 250, uint64(next))), Wait: true})
		if err != nil || s.Err != nil || s.Score != alone.Score || s.MapMax != alone.MapMax || !slices.Equal(s.Map.Scores, alone.Map.Scores) || s.Picture.Width != 20+next || s.Picture.Height != 30 {
			t.Errorf("%d: %v, %v: score %v of %d x %d", next, err, s.Err, s.Score, s.Picture.Width, s.Picture.Height)
		}
		return nil
	})
	others.Wait()
	if err != nil || next != len(work.Items) || f.prompts["metal nut"] < 7 || files.Size() != side {
		t.Errorf("%v after %d pictures, prompts %v", err, next, f.prompts)
	}
}

// TestFilesEnd: an error of the caller, and the end of the context, end the work.
func TestFilesEnd(t *testing.T) {
	i, _ := open(t, Options{})
	path := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(path, encoded(t, noise(9, 9, 9, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	work := scoring.Work{Items: make([]data.Item, 4), Batches: scoring.Chunks(4, 2)}
	for n := range work.Items {
		work.Items[n].Path = path
	}
	files := Files{Model: i, MostBytes: 1000}
	failure, calls := errors.New("no room"), 0
	if err := files.ScoreAll(t.Context(), work, func(scoring.Scored) error { calls++; return failure }); !errors.Is(err, failure) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := files.ScoreAll(ctx, work, func(scoring.Scored) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
