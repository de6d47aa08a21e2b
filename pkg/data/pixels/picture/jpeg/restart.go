package jpeg

// restart moves past the expected restart marker. On another marker it resynchronizes like libjpeg.
func (s *scan) restart() error {
	s.drop()
	if s.marker == 0 {
		if err := s.toMarker(); err != nil {
			return err
		}
	}
	if err := s.resynchronize(); err != nil {
		return err
	}
	for i := range s.components {
		s.components[i].predicted = 0
	}
	s.progressive.run = 0
	s.left = s.interval
	s.restarts = (s.restarts + 1) % 8
	if s.marker == 0 {
		s.exhausted = false
	}
	return nil
}

func (s *scan) toMarker() (err error) {
	s.marker, s.at, err = nextMarker(s.b, s.at)
	return err
}

// resynchronize handles an unexpected restart marker: one of the two previous numbers is
// a duplicate, one of the two next means lost data, and any other counts as the expected
// one.
func (s *scan) resynchronize() error {
	for {
		ahead := (s.marker - markerRST0 - s.restarts) % 8
		switch {
		case s.marker < markerSOF0:
		case s.marker < markerRST0 || s.marker > markerRST7 || ahead == 1 || ahead == 2:
			return nil // the blocks before it stay unchanged
		case ahead == 6 || ahead == 7:
		default:
			s.marker = 0
			return nil
		}
		if err := s.toMarker(); err != nil {
			return err
		}
	}
}
