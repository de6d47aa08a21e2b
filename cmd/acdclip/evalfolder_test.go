package main

import (
	"errors"
	"path/filepath"
	"testing"

	"acdclip/internal/rundir"
	"acdclip/pkg/shard"
)

// TestEvalFolderIsLocked: of two programs in one folder the second stops, whatever
// it was asked to do, and nothing of the first one's is gone.
func TestEvalFolderIsLocked(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	first := (&evalOptions{out: out}).folder()
	if _, err := first.open(shard.Plan{}); err != nil {
		t.Fatal(err)
	}
	for _, o := range []*evalOptions{{out: out, resume: true}, {out: out, overwrite: true}} {
		second := o.folder()
		if err := second.check(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
		if _, err := second.open(shard.Plan{}); !errors.Is(err, rundir.ErrInUse) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := shard.Open(first.finished()); err != nil {
		t.Error(err)
	}
	// Another share is another folder.
	share := (&evalOptions{out: out, share: shard.Share{Index: 1, Of: 2}}).folder()
	if _, err := share.open(shard.Plan{Share: shard.Share{Index: 1, Of: 2}}); err != nil {
		t.Error(err)
	}
	if err := errors.Join(share.close(), first.close()); err != nil {
		t.Error(err)
	}
	again := (&evalOptions{out: out, resume: true}).folder()
	if _, err := again.open(shard.Plan{}); err != nil {
		t.Errorf("after close: %v", err)
	}
	if err := again.close(); err != nil {
		t.Error(err)
	}
}
