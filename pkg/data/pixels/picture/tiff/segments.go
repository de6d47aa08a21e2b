package tiff

import (
	"fmt"
	"io"
	"slices"
)

// segments is the division of a page into strips, which have the page's width and of
// which the last may be shorter, or into tiles, which have equal size and may extend
// beyond the page. They are ordered row by row, plane by plane.
type segments struct {
	width, height int64 // size of a segment in pixels
	across, down  int64
	tiled         bool
	stripRows     int64 // rows per strip, possibly more than the page's height
	offsets       []int64
	lengths       []int64 // in bytes; nil if the file does not contain them
}

func (s *segments) perPlane() int64 { return s.across * s.down }

// segments reads the division into strips or tiles for all planes. It does not check that the file contains them.
func (p *page) segments() (*segments, error) {
	s := &segments{width: int64(p.width), height: int64(p.height)}
	offsets, lengths := stripOffsets, stripByteCounts
	var err error
	if s.tiled = p.has(tileOffsets) && !p.has(stripOffsets); s.tiled {
		offsets, lengths = tileOffsets, tileByteCounts
		if s.width, err = p.number(tileWidth); err != nil {
			return nil, err
		}
		s.height, err = p.number(tileLength)
	} else if s.stripRows, err = p.numberOr(rowsPerStrip, 0); err == nil {
		if s.stripRows == 0 { // some writers use 0 for a single strip
			s.stripRows = s.height
		}
		s.height = min(s.stripRows, s.height)
	}
	if err != nil {
		return nil, err
	}
	const longest = 1 << 31
	if s.width < 1 || s.height < 1 || s.width > longest || s.height > longest {
		return nil, fmt.Errorf("its strips or tiles have an invalid size: %d x %d pixels", s.width, s.height)
	}
	s.across, s.down = ceilDiv(int64(p.width), s.width), ceilDiv(int64(p.height), s.height)
	if err := p.checkPadding(s); err != nil {
		return nil, err
	}
	count := s.perPlane()
	if p.planar {
		count *= int64(p.used())
	}
	return s, p.readPlaces(s, offsets, lengths, count)
}

// checkPadding returns an error if tiles extend so far beyond the picture that their time
// and memory are out of proportion to its size.
func (p *page) checkPadding(s *segments) error {
	const most = 16 << 20 // maximum number of padding samples
	padded := s.across * s.width * int64(p.height)
	if p.compression == jpegInside { // a JPEG is always decoded completely
		padded = s.across * s.width * (s.down * s.height)
	}
	if pixels := int64(p.width) * int64(p.height); padded > most/int64(p.samples) && padded/8 > pixels {
		return fmt.Errorf("its tiles of %d x %d pixels contain %d pixels for a picture of %d", s.width, s.height, padded, pixels)
	}
	return nil
}

// largestJPEG returns the maximum size of the JPEG in a segment. Some writers make the
// last strip's JPEG as high as the others, beyond the page's end.
func (s *segments) largestJPEG() (width, height int) {
	if s.tiled {
		return int(s.width), int(s.height)
	}
	const spare = 16 << 20 // pixels
	return int(s.width), int(min(s.stripRows, s.height+spare/s.width))
}

// readPlaces reads the offsets and lengths of count segments.
func (p *page) readPlaces(s *segments, offsets, lengths tag, count int64) (err error) {
	if s.offsets, err = p.numbers(offsets, int(count)); err != nil {
		return err
	}
	if int64(len(s.offsets)) < count {
		return fmt.Errorf("its %v has %d values, expected %d for its size", offsets, len(s.offsets), count)
	}
	if !p.has(lengths) || p.compression == plain {
		return nil // Pillow ignores the lengths of uncompressed segments
	}
	if s.lengths, err = p.numbers(lengths, int(count)); err != nil {
		return err
	}
	if int64(len(s.lengths)) < count {
		return fmt.Errorf("its %v has %d values, expected %d for its size", lengths, len(s.lengths), count)
	}
	// With segments that share bytes, a small file could take unlimited time.
	const freely = 64 << 20
	var sum int64
	for _, length := range s.lengths {
		if length > p.size {
			return fmt.Errorf("%w: its %v has %d bytes, more than the file", io.ErrUnexpectedEOF, lengths, length)
		}
		if sum += length; sum > freely && sum/2 > p.size {
			return fmt.Errorf("its strips or tiles take more bytes than the file has, so they overlap")
		}
	}
	return nil
}

// bytes returns the compressed bytes of segment i; without a length, all bytes up to the next segment or the end of b.
func (s *segments) bytes(b []byte, i int64) ([]byte, error) {
	offset, size := s.offsets[i], int64(len(b))
	if offset >= size {
		return nil, fmt.Errorf("%w: the file has only %d bytes", io.ErrUnexpectedEOF, size)
	}
	if s.lengths == nil {
		return b[offset:], nil
	}
	if s.lengths[i] > size-offset {
		return nil, fmt.Errorf("%w: it has %d bytes, but the file ends after %d of them", io.ErrUnexpectedEOF, s.lengths[i], size-offset)
	}
	return b[offset : offset+s.lengths[i]], nil
}

// guessLengths sets missing lengths of compressed segments to the distance to the next segment.
func (s *segments) guessLengths(size int64) {
	sorted := slices.Sorted(slices.Values(s.offsets))
	s.lengths = make([]int64, len(s.offsets))
	for i, offset := range s.offsets {
		end := size
		if next, _ := slices.BinarySearch(sorted, offset+1); next < len(sorted) {
			end = min(end, sorted[next])
		}
		s.lengths[i] = max(0, end-offset)
	}
}

func ceilDiv(a, b int64) int64 { return (a-1)/b + 1 } // a and b are at least 1
