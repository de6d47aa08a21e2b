package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"acdclip/internal/goroutines"
)

// TestDrawings: rows come in order, one at a time, whatever drawing takes; the first
// error that ends the work is told once; nothing is left running.
func TestDrawings(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name             string
		drawing, writing int // the row that fails to be drawn or written; -1 for none
	}{
		{"all is well", -1, -1}, {"a drawing fails", 70, -1}, {"a row fails", -1, 50}, {"the first", 0, -1}, {"the last", -1, 199},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			const rows = 200
			var written []int
			d := newDrawings(func(row *pendingRow) error {
				if row.Width == c.writing {
					return broken
				}
				written = append(written, row.Width)
				return nil
			})
			told := 0
			for i := range rows {
				row := &pendingRow{}
				row.Width = i
				draw := func() error {
					for range rand.IntN(1000) {
						runtime.Gosched()
					}
					if i == c.drawing {
						return fmt.Errorf("row %d: %w", i, broken)
					}
					return nil
				}
				if i%5 == 1 {
					draw = nil
				}
				if err := d.add(row, int64(rand.IntN(2*drawnPixels)), draw); err != nil {
					told++
					break
				}
			}
			if err := d.close(); err != nil {
				told++
			}
			fails := max(c.drawing, c.writing)
			if want := fails >= 0; (told == 1) != want || told > 1 {
				t.Errorf("an error was told %d times", told)
			}
			if want := rows; fails < 0 && len(written) != want || fails >= 0 && len(written) != fails || !slices.IsSorted(written) {
				t.Errorf("%d rows were written: %v", len(written), written)
			}
			goroutines.NoneLeft(t, before)
		})
	}
}

// A picture that needs all of the room is drawn before the next one can be scored; smaller
// ones are drawn beside it.
func TestLargeDrawingsAreWaitedFor(t *testing.T) {
	d := newDrawings(func(*pendingRow) error { return nil })
	begin, drawn := make(chan struct{}), false
	if err := d.add(&pendingRow{}, 10, func() error { <-begin; return nil }); err != nil {
		t.Fatal(err)
	}
	close(begin)
	if err := d.add(&pendingRow{}, drawnPixels, func() error {
		for range 1000 {
			runtime.Gosched()
		}
		drawn = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !drawn {
		t.Error("add returned before the picture was drawn")
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
}
