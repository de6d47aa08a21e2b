package main

import (
	"testing"

	"acdclip/pkg/parity"
)

// TestParityStatus checks the exit status of --parity: a bound that is missed counts more
// than a picture that failed.
func TestParityStatus(t *testing.T) {
	within, outside := parity.Result{Within: true}, parity.Result{}
	for _, c := range []struct {
		report parityReport
		want   int
	}{
		{parityReport{Pictures: 2, Results: []parity.Result{within, within}}, statusDone},
		{parityReport{Pictures: 2, Results: []parity.Result{within, outside}}, statusFailed},
		{parityReport{Pictures: 2, Failed: 1, Results: []parity.Result{within}}, statusPartial},
		{parityReport{Pictures: 2, Failed: 1, Results: []parity.Result{outside}}, statusFailed},
	} {
		if got := statusOf(c.report.judge()); got != c.want {
			t.Errorf("%+v: exit status %d, want %d", c.report, got, c.want)
		}
	}
}
