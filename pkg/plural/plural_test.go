package plural

import "testing"

func TestOf(t *testing.T) {
	for n, want := range map[int]string{0: "0 classes", 1: "1 class", 2: "2 classes"} {
		if got := Of(n, "class", "classes"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
