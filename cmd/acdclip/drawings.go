package main

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"acdclip/pkg/report"
)

const (
	drawnPixels = 64 << 20 // of the pictures that are drawn at once, unless one alone has more
	drawnRows   = 32       // that wait at once for their pictures
)

// pendingRow is a row of predictions whose pictures may still have to be drawn.
type pendingRow struct {
	report.Prediction
	failed error // this picture's own trouble, which its row tells

	drawn chan struct{} // closed when its pictures are drawn
	fatal error         // what ends the work; set before drawn is closed
}

// drawings draws the pictures of rows beside other work, and hands each row on
// when they are drawn, in the order of add's calls.
type drawings struct {
	room  *semaphore.Weighted // pixels
	queue chan *pendingRow
	ended chan struct{} // closed when the queue has come to its end

	mutex sync.Mutex
	err   error // the first that ends the work
	told  bool  // add has returned it
}

// newDrawings hands rows to finish, one at a time.
func newDrawings(finish func(*pendingRow) error) *drawings {
	d := &drawings{room: semaphore.NewWeighted(drawnPixels), queue: make(chan *pendingRow, drawnRows), ended: make(chan struct{})}
	go func() {
		defer close(d.ended)
		for row := range d.queue {
			<-row.drawn
			if d.failure() != nil {
				continue
			}
			err := row.fatal
			if err == nil {
				err = finish(row)
			}
			d.fail(err)
		}
	}()
	return d
}

// add begins to draw a row's pictures, of so many pixels, as soon as there is
// room for them, and waits for those that need all of the room; a nil draw draws
// nothing. The error may be an earlier row's.
func (d *drawings) add(row *pendingRow, pixels int64, draw func() error) error {
	row.drawn = make(chan struct{})
	if draw == nil {
		close(row.drawn)
	} else {
		room := max(1, min(pixels, drawnPixels))
		if err := d.room.Acquire(context.Background(), room); err != nil {
			return err
		}
		go func() {
			defer close(row.drawn)
			defer d.room.Release(room)
			row.fatal = draw()
		}()
		if room == drawnPixels {
			<-row.drawn // the next one to be scored may be as large
		}
	}
	d.queue <- row
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.told = d.err != nil
	return d.err
}

func (d *drawings) failure() error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.err
}

func (d *drawings) fail(err error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.err == nil {
		d.err = err
	}
}

// close waits for all rows. The error is the first that ended the work, where add
// has not returned it.
func (d *drawings) close() error {
	close(d.queue)
	<-d.ended
	if d.told {
		return nil
	}
	return d.err
}
