package picture

import (
	"fmt"
	"runtime"

	"acdclip/pkg/data/pixels/picture/orientation"
)

// Stored is a decoded picture with its pixels as the file stores them. Converting only some
// rows at a time saves the memory of the whole picture in RGB.
type Stored struct {
	Width, Height int     // in pixels, upright
	Reading       Reading // how it is read

	path    string
	file    storedPicture
	depth   narrowing
	upright *Image // the whole picture, if its rows are the file's columns; else nil
	garbage int    // bytes that were converted since the last collection
}

const (
	bandRows     = 64       // rows that are converted at a time
	largePixels  = 64 << 20 // pixels from which a picture is large
	largeGarbage = 64 << 20 // bytes that are collected at once beside a large picture
)

// collect frees memory beside a large picture. By itself the collector waits until there is
// as much garbage as data, which would double the memory that the picture takes.
func (s *Stored) collect() {
	if s.Width*s.Height >= largePixels {
		s.garbage = 0
		runtime.GC()
	}
}

// Open reads the picture at path. Its errors are Decode's.
func Open(path string, o DecodeOptions) (*Stored, error) {
	file, err := openStored(path, o)
	if err != nil {
		return nil, err
	}
	reading, err := file.reading(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	size := file.pixels.Bounds().Size()
	s := &Stored{Width: size.X, Height: size.Y, Reading: reading, path: path, file: file, depth: file.depth(o)}
	s.file.content = nil // it may be as large as the pixels
	s.collect()
	if reading.Turn.Swaps() {
		s.Width, s.Height = size.Y, size.X
		if s.upright, err = s.onItsSide(); err != nil {
			return nil, err
		}
		s.file = storedPicture{}
		s.collect()
	}
	return s, nil
}

// onItsSide converts the whole picture if its rows are the file's columns.
func (s *Stored) onItsSide() (*Image, error) {
	stored := s.Width // rows of the file
	im := NewImage(s.Width, s.Height)
	for first := 0; first < stored; first += bandRows {
		end := min(first+bandRows, stored)
		band, err := s.file.rows(s.depth, first, end)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.path, err)
		}
		x := first
		if s.Reading.Turn == orientation.RotateRight || s.Reading.Turn == orientation.Transversed {
			x = stored - end
		}
		im.Paste(turned(band, s.Reading.Turn), x, 0)
		s.converted(band)
	}
	return im, nil
}

// Rows returns rows [first, end) of Decode's picture. They are read-only.
func (s *Stored) Rows(first, end int) (*Image, error) {
	if s.upright != nil {
		return &Image{Width: s.Width, Height: end - first, Pix: s.upright.Pix[3*s.Width*first : 3*s.Width*end]}, nil
	}
	if s.Reading.Turn == orientation.HalfTurn || s.Reading.Turn == orientation.Flipped {
		first, end = s.Height-end, s.Height-first
	}
	band, err := s.file.rows(s.depth, first, end)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	s.converted(band)
	return turned(band, s.Reading.Turn), nil
}

// converted counts what becomes garbage when the caller has done with it.
func (s *Stored) converted(band *Image) {
	if s.garbage += len(band.Pix); s.garbage >= largeGarbage {
		s.collect()
	}
}

// ResizeBicubic returns Decode's picture, scaled by Image.ResizeBicubic. It converts the whole
// picture at once only if a side keeps its size, or rows are to be scaled first.
func (s *Stored) ResizeBicubic(width, height int) (*Image, error) {
	columns, rows := newScaling(cubic, s.Width, width), newScaling(cubic, s.Height, height)
	if width == s.Width || height == s.Height || rowsFirst(s.Height, width, height) {
		whole, err := s.Rows(0, s.Height)
		if err != nil {
			return nil, err
		}
		return whole.ResizeBicubic(width, height), nil
	}
	between := NewImage(width, s.Height)
	for y := 0; y < s.Height; y += bandRows {
		band, err := s.Rows(y, min(y+bandRows, s.Height))
		if err != nil {
			return nil, err
		}
		between.Paste(band.resizeColumns(columns, 0, band.Height), 0, y)
	}
	return between.resizeRows(rows, 0), nil
}
