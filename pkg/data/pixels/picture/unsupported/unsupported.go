// Package unsupported defines the error of the picture decoders for a file that may be
// valid but uses an unsupported feature.
package unsupported

import (
	"errors"
	"fmt"
)

// Err is wrapped by the errors of Feature.
var Err = errors.New("not supported")

// Feature returns the error for an unsupported feature: "not supported: " and the given
// text, which names the feature and tells the user what to do.
func Feature(format string, args ...any) error {
	return fmt.Errorf("%w: %w", Err, fmt.Errorf(format, args...))
}

// OrDamaged returns err itself if it is nil or wraps Err, else an error that the file is damaged or cut short.
func OrDamaged(err error) error {
	if err == nil || errors.Is(err, Err) {
		return err
	}
	return fmt.Errorf("it is damaged or cut short: %w", err)
}
