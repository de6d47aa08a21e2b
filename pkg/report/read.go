package report

import (
	"errors"
	"fmt"

	"acdclip/pkg/sealed"
)

// maxEvaluation limits what is read of a results.json, in bytes: one of a thousand
// targets and checkpoints has less.
const maxEvaluation = 16 << 20

// ErrOlder reports results that were written before they carried their conditions and a sum.
var ErrOlder = errors.New("these results carry no sum of their content: an older version of acdclip wrote them, or they were changed")

// ReadEvaluation reads what WriteJSON wrote. What was changed since is
// sealed.ErrDamaged, and what lacks its conditions is ErrOlder.
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

// Check finds numbers that no row can have.
func (r *Row) Check() error {
	if r.Normal < 0 || r.Anomalous < 0 || r.Failed < 0 {
		return fmt.Errorf("class %s has a negative number of pictures", r.Class)
	}
	for name, value := range r.Metrics {
		if !isFraction(value) {
			return fmt.Errorf("class %s: %s is %v, which is not from 0 to 1", r.Class, name, value)
		}
	}
	return nil
}

// Check finds numbers that no picture can have.
func (s *Score) Check() error {
	if s.Error != "" {
		return nil
	}
	if !isFraction(float64(s.Score)) || !isFraction(float64(s.MapMax)) || s.ClassProbability != nil && !isFraction(float64(*s.ClassProbability)) {
		return fmt.Errorf("%s: a score is not from 0 to 1", s.Path)
	}
	return nil
}

func isFraction(value float64) bool { return value >= 0 && value <= 1 } // NaN is none
