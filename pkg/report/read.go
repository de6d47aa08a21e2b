package report

import (
	"errors"
	"fmt"

	"acdclip/pkg/sealed"
)

// maxEvaluation is the maximum size of a results.json, in bytes: more than a thousand
// targets and checkpoints need.
const maxEvaluation = 16 << 20

// ErrOlder reports results of a version that recorded neither conditions nor a checksum.
var ErrOlder = errors.New("these results have no checksum: an older version of acdclip wrote them, or they were changed")

// ReadEvaluation reads a file written by WriteJSON. A file that was changed since is
// sealed.ErrDamaged, a file without a checksum ErrOlder.
func ReadEvaluation(path string) (*Evaluation, error) {
	var e Evaluation
	err := sealed.Read(path, maxEvaluation, &e)
	if errors.Is(err, sealed.ErrNoSum) {
		err = ErrOlder
	}
	for i := range e.Results {
		for j := range e.Results[i].Classes {
			if err == nil {
				err = e.Results[i].Classes[j].Check()
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &e, nil
}

// Check returns an error if a number in the row is invalid.
func (r *Row) Check() error {
	if r.Normal < 0 || r.Anomalous < 0 || r.Failed < 0 {
		return fmt.Errorf("class %s has a negative number of pictures", r.Class)
	}
	for name, value := range r.Metrics {
		if !isFraction(value) {
			return fmt.Errorf("class %s: %s is %v, which is not in [0, 1]", r.Class, name, value)
		}
	}
	return nil
}

// Check returns an error if a number of the picture is invalid.
func (s *Score) Check() error {
	if s.Error != "" {
		return nil
	}
	if !isFraction(float64(s.Score)) || !isFraction(float64(s.MapMax)) || s.ClassProbability != nil && !isFraction(float64(*s.ClassProbability)) {
		return fmt.Errorf("%s: a score is not in [0, 1]", s.Path)
	}
	return nil
}

func isFraction(value float64) bool { return value >= 0 && value <= 1 } // false for NaN
