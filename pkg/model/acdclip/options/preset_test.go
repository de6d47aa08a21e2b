package options

import (
	"testing"

	"acdclip/pkg/domain"
)

func TestDerivedValues(t *testing.T) {
	if got := (Adapter{}).HiddenFor(1024); got != 256 {
		t.Errorf("default hidden width for 1024 is %d, want 256", got)
	}
	if got := (Adapter{Hidden: 32}).HiddenFor(1024); got != 32 {
		t.Errorf("hidden width is %d, want 32", got)
	}
	score := releasedModel().Score
	if c, m := score.Weights(domain.Industrial); c != 0.9 || m != 0.1 {
		t.Errorf("industrial weights are %v and %v", c, m)
	}
	if c, m := score.Weights(domain.Medical); c != 0.5 || m != 0.5 {
		t.Errorf("medical weights are %v and %v", c, m)
	}
	if c, _ := score.Weights(""); c != 0.9 {
		t.Errorf("an unknown domain's weight is %v", c)
	}
}
