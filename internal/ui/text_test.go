package ui

import "testing"

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0.0 s", 9.94: "9.9 s", 9.96: "10 s", 59.4: "59 s", 59.6: "1 min 0 s", 3599: "59 min 59 s", 7325: "2 h 2 min"} {
		if got := Duration(seconds); got != want {
			t.Errorf("%v: %q, want %q", seconds, got, want)
		}
	}
}
