package anomalymap

import (
	"cmp"
	"slices"
)

// tiffSegments is how a page is cut: into strips, which are as wide as the page
// and of which the last may be shorter, or into tiles, which are all of one size
// and reach beyond the page's right and lower edge. They go row by row.
type tiffSegments struct {
	height, width int64 // of a segment, in samples
	parts         []tiffPart
}

// tiffPart is where a segment lies in the file, in bytes.
type tiffPart struct{ offset, length int64 }

// segments finds the segments of a page of height x width samples, a size that
// Options.check has passed. All of them lie in the file and no two overlap.
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
		return c, damagedTIFF("it promises a map of height %d and width %d, of %d bytes, and has %d in all", height, width, height*rowBytes, d.size)
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
		return c, damagedTIFF("its tiles have height %d and width %d", c.height, c.width)
	}
	count := ceilDiv(height, c.height) * ceilDiv(width, c.width) // no more than the page's samples
	// Dividing cannot overflow, whatever the directory says.
	if c.height > d.size/int64(s.size)/c.width/count {
		return c, damagedTIFF("it promises %d tiles of height %d and width %d, and has %d bytes in all", count, c.height, c.width, d.size)
	}
	length := c.height * c.width * int64(s.size)
	c.parts, err = d.parts(tiffTileOffsets, tiffTileBytes, count, length, length)
	return c, err
}

func ceilDiv(a, b int64) int64 { return (a-1)/b + 1 } // a and b are at least 1

// parts reads where count segments of length bytes lie; the last one has last bytes.
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
			return nil, damagedTIFF("%v and %v put segment %d at byte %d, with %d bytes; it needs %d, and the file has %d",
				offsetsTag, lengthsTag, i, offset, lengths[i], length, d.size)
		}
		parts[i] = tiffPart{offset, length}
	}
	return parts, checkOverlap(parts, offsetsTag)
}

// checkOverlap reports bytes that would be scores of two places.
func checkOverlap(parts []tiffPart, offsetsTag tiffTag) error {
	sorted := slices.SortedFunc(slices.Values(parts), func(a, b tiffPart) int { return cmp.Compare(a.offset, b.offset) })
	for i, part := range sorted[1:] {
		if before := sorted[i]; before.offset+before.length > part.offset {
			return damagedTIFF("by its %v, the segments at the bytes %d and %d overlap", offsetsTag, before.offset, part.offset)
		}
	}
	return nil
}

// read fills m from all segments, whose parts outside the page are skipped.
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
