package metrics

import (
	"bytes"
	"encoding/binary"
)

// span is neighbouring anomalous pixels of one row of a mask, from index from up to index to of the whole mask.
type span struct {
	from, to uint32
	parent   uint32 // index of a span of the same region, no larger than its own
}

// labeller finds the regions of masks, one after the other; it keeps the memory that this needs.
type labeller struct {
	spans []span
	sizes []uint32 // a span's: the pixels of its region, where it is the first
}

// label finds the 8-connected regions of a mask [H, W] that is not empty, and
// returns their number. Spans are then in the order of the mask.
func (l *labeller) label(mask []uint8, width int) (regions int) {
	l.spans = l.spans[:0]
	above := 0 // the first span of the row above
	for row := 0; row < len(mask); row += width {
		begin := len(l.spans)
		l.scan(mask, row, row+width)
		l.join(above, begin, uint32(width))
		above = begin
	}
	l.sizes = resized(l.sizes, len(l.spans))
	clear(l.sizes)
	for i, s := range l.spans {
		root := l.root(uint32(i))
		l.sizes[root] += s.to - s.from
		if root == uint32(i) {
			regions++
		}
	}
	return regions
}

// size returns the number of pixels of the region of span i.
func (l *labeller) size(i int) uint32 { return l.sizes[l.root(uint32(i))] }

// scan appends the spans of one row.
func (l *labeller) scan(mask []uint8, from, to int) {
	for {
		from += zeros(mask[from:to])
		if from == to {
			return
		}
		end := to
		if n := bytes.IndexByte(mask[from:to], 0); n >= 0 {
			end = from + n
		}
		l.spans = append(l.spans, span{uint32(from), uint32(end), uint32(len(l.spans))})
		from = end
	}
}

// zeros returns the number of zero bytes that row begins with.
func zeros(row []uint8) int {
	i := 0
	for i+8 <= len(row) && binary.LittleEndian.Uint64(row[i:]) == 0 {
		i += 8
	}
	for i < len(row) && row[i] == 0 {
		i++
	}
	return i
}

// join makes one region of spans that touch, also at a corner: those from above
// to below are a row's, and those from below on the next one's.
func (l *labeller) join(above, below int, width uint32) {
	up, down := above, below
	for up < below && down < len(l.spans) {
		a, b := l.spans[up], l.spans[down]
		if b.from <= a.to+width && a.from+width <= b.to {
			l.unite(uint32(up), uint32(down))
		}
		if a.to+width < b.to {
			up++
		} else {
			down++
		}
	}
}

func (l *labeller) unite(a, b uint32) {
	a, b = l.root(a), l.root(b)
	l.spans[max(a, b)].parent = min(a, b)
}

func (l *labeller) root(i uint32) uint32 {
	for l.spans[i].parent != i {
		l.spans[i].parent = l.spans[l.spans[i].parent].parent // halves the way for the next time
		i = l.spans[i].parent
	}
	return i
}
