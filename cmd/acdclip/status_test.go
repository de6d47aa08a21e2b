package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"acdclip/pkg/model/methods"
	"acdclip/pkg/published"
	"acdclip/pkg/trained"

	"github.com/spf13/pflag"
)

func TestStatusOf(t *testing.T) {
	_, configuration := methods.All().Catalog().Preset("", "none")
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{io.ErrUnexpectedEOF, 1},
		{failures(3, 3), 1},
		{usagef("wrong"), 2},
		{fmt.Errorf("reading: %w", configuration), 2},
		{fmt.Errorf("opening: %w", trained.ErrNoCLIP), 2},
		{fmt.Errorf("opening: %w", published.ErrNotFetched), 2},
		{failures(1, 3), 3},
		{failures(0, 3), 0},
		{context.Canceled, 130},
		{interruption{"half is saved", fmt.Errorf("epoch 3: %w", context.Canceled)}, 130},
	} {
		if got := statusOf(c.err); got != c.want {
			t.Errorf("%v: status %d, want %d", c.err, got, c.want)
		}
	}
}

func TestEnded(t *testing.T) {
	var shown bytes.Buffer
	a := newApp(io.Discard, &shown, false)
	if err := a.ended(io.EOF, "half is saved"); err != io.EOF || shown.String() != "half is saved\n" {
		t.Errorf("a failure: %v, %q", err, shown.String())
	}
	shown.Reset()
	cancelled := fmt.Errorf("step 3: %w", context.Canceled)
	if err := a.ended(cancelled, "half is saved"); err.Error() != "interrupted; half is saved" || !errors.Is(err, context.Canceled) || shown.Len() > 0 {
		t.Errorf("an interruption: %v, %q", err, shown.String())
	}
	if lines := explain(newRoot(a), cancelled); !slices.Equal(lines, []string{"interrupted; nothing was written"}) {
		t.Errorf("an interruption before anything was written: %q", lines)
	}
}

// TestFlagsReachConfiguration: a flag that was given goes before the environment,
// and one that was not given sets nothing.
func TestFlagsReachConfiguration(t *testing.T) {
	a := newApp(io.Discard, io.Discard, false)
	a.environment = []string{"ACDCLIP_SEED=9", "ACDCLIP_THREADS=8"}
	var c configFlags
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	c.registerConfig(flags)
	if err := flags.Parse([]string{"--clip", "x", "--threads", "3"}); err != nil {
		t.Fatal(err)
	}
	loaded, err := a.load(&c, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := loaded.Config; got.Threads != 3 || got.Seed != 9 || got.Clip == "" {
		t.Errorf("configuration %+v", got)
	}
	if _, set := loaded.Set["device"]; set {
		t.Error("a flag that was not given set its key")
	}
}

func TestJSONFailure(t *testing.T) {
	var errors bytes.Buffer
	a := newApp(io.Discard, &errors, false)
	a.environment = nil
	if status := a.run(context.Background(), []string{"train", "--log", "json", "--clip", "c", "--auxiliary", "nowhere=nope"}); status != statusFailed {
		t.Errorf("status %d", status)
	}
	if !bytes.HasPrefix(errors.Bytes(), []byte(`{"event":"failure","time":"`)) {
		t.Errorf("got %s", errors.String())
	}
}

// TestCalledFromAnywhere: what is pasted into another folder's shell runs the same program.
func TestCalledFromAnywhere(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"acdclip":          "acdclip",
		"./acdclip":        filepath.Join(here, "acdclip"),
		"/opt/a b/acdclip": "'/opt/a b/acdclip'",
	} {
		if got := calledFromAnywhere(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestResuming: the line to go on with is the one that was given, less what would undo it.
func TestResuming(t *testing.T) {
	for want, arguments := range map[string][]string{
		"acdclip eval --out 'a b' --resume": {"eval", "--out", "a b", "--overwrite"},
		"acdclip eval --out a --resume":     {"eval", "--overwrite=true", "--out", "a"},
		"acdclip eval --resume --out a":     {"eval", "--resume", "--out", "a"},
	} {
		a := app{program: "acdclip", arguments: arguments}
		if got := a.resuming(); got != want {
			t.Errorf("%q: %s, want %s", arguments, got, want)
		}
	}
}
