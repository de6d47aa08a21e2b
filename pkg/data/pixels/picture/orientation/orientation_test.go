package orientation

import "testing"

func TestTurns(t *testing.T) {
	pix := []uint8("abcdef") // abc over def
	for o, want := range map[Orientation]string{1: "abcdef", 2: "cbafed", 3: "fedcba", 4: "defabc", 5: "adbecf", 6: "daebfc", 7: "fcebda", 8: "cfbead"} {
		if got := string(o.Turn(pix, 3, 2, 1)); got != want {
			t.Errorf("orientation %d: %s, want %s", o, got, want)
		}
	}
}
