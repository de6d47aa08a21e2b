package metrics

import (
	"bytes"
	"encoding/binary"
)

// span is adjacent anomalous pixels in one row of a mask: the mask's indices [from, to).
type span struct {
	from, to uint32
	parent   uint32 // index of a span of the same region, at most its own index
}

// labeller finds the regions of masks, one mask after the other, and reuses its memory.
type labeller struct {
	spans []span
	sizes []uint32 // for the first span of each region, the number of pixels of the region
}

// label finds the 8-connected regions of a non-empty mask [H, W] and returns their number.
// Spans are then in the order of the mask.
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

// zeros returns the number of leading zero bytes of row.
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

// join merges the regions of spans that touch, also at a corner: spans [above, below) are
// in one row, spans from below on in the next.
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
		l.spans[i].parent = l.spans[l.spans[i].parent].parent // path halving
		i = l.spans[i].parent
	}
	return i
}
