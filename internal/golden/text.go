package golden

import (
	"strings"
	"testing"
)

// SameText reports the first line in which two texts differ; what names the text.
func SameText(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Errorf("%s: line %d is\n%s\nwant\n%s", what, i+1, gotLines[i], wantLines[i])
			return
		}
	}
	t.Errorf("%s: %d lines, want %d", what, len(gotLines), len(wantLines))
}
