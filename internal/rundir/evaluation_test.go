package rundir

import (
	"errors"
	"path/filepath"
	"testing"

	"acdclip/pkg/evaluation/finished"
)

// TestEvalFolderIsLocked checks that the second of two programs in one folder stops,
// whatever its flags, and does not remove files of the first.
func TestEvalFolderIsLocked(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	first := NewEvaluation(out, finished.Share{}, false, false)
	if _, err := first.Open(finished.Plan{}); err != nil {
		t.Fatal(err)
	}
	for _, second := range []*Evaluation{NewEvaluation(out, finished.Share{}, false, true), NewEvaluation(out, finished.Share{}, true, false)} {
		if err := second.Check(); err != nil {
			t.Errorf("%+v: %v", second, err)
		}
		if _, err := second.Open(finished.Plan{}); !errors.Is(err, ErrInUse) {
			t.Errorf("%+v: %v", second, err)
		}
	}
	if _, err := finished.Open(first.Finished()); err != nil {
		t.Error(err)
	}
	// Another share has another folder.
	share := NewEvaluation(out, finished.Share{Index: 1, Of: 2}, false, false)
	if _, err := share.Open(finished.Plan{Share: finished.Share{Index: 1, Of: 2}}); err != nil {
		t.Error(err)
	}
	if err := errors.Join(share.Close(), first.Close()); err != nil {
		t.Error(err)
	}
	again := NewEvaluation(out, finished.Share{}, false, true)
	if _, err := again.Open(finished.Plan{}); err != nil {
		t.Errorf("after close: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
