// Package unsupported is the one error of the picture formats' readers for a file
// that may well be sound but uses a feature that is not read.
package unsupported

import (
	"errors"
	"fmt"
)

// Err is wrapped by the errors of Feature.
var Err = errors.New("not supported")

// Feature is the error of a feature that is not read: "not supported: ". The rest
// names the feature and says what the user can do.
func Feature(format string, args ...any) error {
	return fmt.Errorf("%w: %w", Err, fmt.Errorf(format, args...))
}

// OrDamaged is nil, or err as it is if it wraps Err, or says that the file is damaged or cut short.
func OrDamaged(err error) error {
	if err == nil || errors.Is(err, Err) {
		return err
	}
	return fmt.Errorf("it is damaged or cut short: %w", err)
}
