package verify

import (
	"acdclip/pkg/data/pixels/picture"
)

// add counts a file.
func (s *FileStats) add(info picture.Info) {
	if s.Modes == nil {
		s.Modes = map[string]int{}
	}
	size := [2]int{info.Width, info.Height}
	s.widen(size, size)
	s.Files++
	s.Modes[info.Format+" "+info.Mode]++
}

// widen extends the smallest and largest size.
func (s *FileStats) widen(smallest, largest [2]int) {
	if s.Files == 0 {
		s.Smallest, s.Largest = smallest, largest
		return
	}
	for i := range smallest {
		s.Smallest[i] = min(s.Smallest[i], smallest[i])
		s.Largest[i] = max(s.Largest[i], largest[i])
	}
}

func (s *FileStats) merge(o *FileStats) {
	if o.Files == 0 {
		return
	}
	s.widen(o.Smallest, o.Largest)
	s.Files += o.Files
	for mode, count := range o.Modes {
		s.Modes[mode] += count
	}
	for value, count := range o.Values {
		s.Values[value] += count
	}
}
