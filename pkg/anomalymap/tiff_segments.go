package anomalymap

import (
	"cmp"
	"slices"
)

// tiffSegments is the division of a page into strips, which have the page's width and of
// which the last may be shorter, or into tiles, which have equal size and extend beyond
// the page's right and bottom edges. They are ordered row by row.
type tiffSegments struct {
	height, width int64 // size of a segment in samples
	parts         []tiffPart
}

// tiffPart is the position of a segment in the file, in bytes.
type tiffPart struct{ offset, length int64 }

// segments returns the segments of a page of height x width samples, which Options.check
// has accepted. It checks that all of them are inside the file and do not overlap.
func (d tiffDirectory) segments(height, width int64, s sample) (tiffSegments, error) {
	if _, tiled := d.fields[tiffTileOffsets]; tiled {
		return d.tiles(height, width, s)
	}
	return d.strips(height, width, s)
}

func (d tiffDirectory) strips(height, width int64, s sample) (c tiffSegments, err error) {
	rows, err := d.numberOr(tiffStripRows, height)
	if err != nil {
		return c, err
	}
	if rows < 1 {
		return c, damagedTIFF("its strips have no rows")
	}
	rowBytes := width * int64(s.size)
	if height*rowBytes > d.size {
		return c, damagedTIFF("it declares a map of height %d and width %d, which needs %d bytes, but the file has %d", height, width, height*rowBytes, d.size)
	}
	c.height, c.width = min(rows, height), width
	count := ceilDiv(height, c.height)
	last := height - (count-1)*c.height
	c.parts, err = d.parts(tiffStripOffsets, tiffStripBytes, count, c.height*rowBytes, last*rowBytes)
	return c, err
}

func (d tiffDirectory) tiles(height, width int64, s sample) (c tiffSegments, err error) {
	if c.height, err = d.number(tiffTileHeight); err != nil {
		return c, err
	}
	if c.width, err = d.number(tiffTileWidth); err != nil {
		return c, err
	}
	if c.height < 1 || c.width < 1 {
		return c, damagedTIFF("its tiles have the invalid height %d and width %d", c.height, c.width)
	}
	count := ceilDiv(height, c.height) * ceilDiv(width, c.width) // at most the number of the page's samples
	// A division cannot overflow for any directory.
	if c.height > d.size/int64(s.size)/c.width/count {
		return c, damagedTIFF("it declares %d tiles of height %d and width %d, but the file has only %d bytes", count, c.height, c.width, d.size)
	}
	length := c.height * c.width * int64(s.size)
	c.parts, err = d.parts(tiffTileOffsets, tiffTileBytes, count, length, length)
	return c, err
}

func ceilDiv(a, b int64) int64 { return (a-1)/b + 1 } // a and b are at least 1

// parts reads the positions of count segments of length bytes; the last one has last bytes.
func (d tiffDirectory) parts(offsetsTag, lengthsTag tiffTag, count, length, last int64) ([]tiffPart, error) {
	offsets, err := d.numbers(offsetsTag, count)
	if err != nil {
		return nil, err
	}
	lengths, err := d.numbers(lengthsTag, count)
	if err != nil {
		return nil, err
	}
	parts := make([]tiffPart, count)
	for i, offset := range offsets {
		if int64(i) == count-1 {
			length = last
		}
		if lengths[i] < length || length > d.size-offset {
			return nil, damagedTIFF("by its %v and %v, segment %d is at byte %d with %d bytes; it needs %d bytes, and the file has %d",
				offsetsTag, lengthsTag, i, offset, lengths[i], length, d.size)
		}
		parts[i] = tiffPart{offset, length}
	}
	return parts, checkOverlap(parts, offsetsTag)
}

// checkOverlap returns an error if two segments overlap.
func checkOverlap(parts []tiffPart, offsetsTag tiffTag) error {
	sorted := slices.SortedFunc(slices.Values(parts), func(a, b tiffPart) int { return cmp.Compare(a.offset, b.offset) })
	for i, part := range sorted[1:] {
		if before := sorted[i]; before.offset+before.length > part.offset {
			return damagedTIFF("by its %v, the segments at bytes %d and %d overlap", offsetsTag, before.offset, part.offset)
		}
	}
	return nil
}

// read fills m from all segments and skips their parts outside the page.
func (c tiffSegments) read(m *Map, scores *sampleReader) error {
	across := ceilDiv(int64(m.Width), c.width)
	for i, part := range c.parts {
		scores.seek(part.offset, part.length)
		x, top := int64(i)%across*c.width, int64(i)/across*c.height
		end := min(x+c.width, int64(m.Width))
		for y := top; y < min(top+c.height, int64(m.Height)); y++ {
			row := m.Scores[y*int64(m.Width):][x:end]
			if err := scores.read(row); err != nil {
				return err
			}
			if err := scores.skip(c.width - int64(len(row))); err != nil {
				return err
			}
		}
	}
	return nil
}
