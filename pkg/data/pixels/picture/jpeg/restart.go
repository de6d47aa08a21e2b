package jpeg

// restart goes behind the next restart marker, or stays before another one as libjpeg does.
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

// resynchronize decides what a restart marker that was not expected means: one
// of the two before was sent again, one of the two after shows that data are
// lost, and any other is taken for the expected one.
func (s *scan) resynchronize() error {
	for {
		ahead := (s.marker - markerRST0 - s.restarts) % 8
		switch {
		case s.marker < markerSOF0:
		case s.marker < markerRST0 || s.marker > markerRST7 || ahead == 1 || ahead == 2:
			return nil // the blocks up to there stay as they are
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
