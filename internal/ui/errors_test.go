package ui

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func TestErrorLines(t *testing.T) {
	first, second := errors.New("first\nline"), errors.New("second")
	for _, c := range []struct {
		err  error
		want []string
	}{
		{first, []string{`first\nline`}},
		{errors.Join(first, second), []string{`first\nline`, "second"}},
		{fmt.Errorf("both: %w", errors.Join(first, second)), []string{`both: first\nline`, "second"}},
		{fmt.Errorf("%w after", second), []string{"second after"}},
	} {
		if got := ErrorLines(c.err); !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
